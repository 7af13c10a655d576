# SPDX-License-Identifier: GPL-2.0-only
# Completion of kmemtape for fish. The program knows best what fits.
function __kmemtape_candidates
	set -l words (commandline -opc)
	set -e words[1]
	set -l typed (commandline -ct)
	kmemtape --complete $words "$typed" 2>/dev/null
end

complete -c kmemtape -n 'not __kmemtape_candidates | string match -q :files' -f
complete -c kmemtape -a '(__kmemtape_candidates | string match -v :files)'
