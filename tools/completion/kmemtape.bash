# SPDX-License-Identifier: GPL-2.0-only
# Completion of kmemtape for bash. The program knows best what fits.
_kmemtape()
{
	local word _

	COMPREPLY=()
	while IFS=$'\t' read -r word _; do
		case $word in
		:files) compopt -o default 2>/dev/null ;;
		*) COMPREPLY+=("$word") ;;
		esac
	done < <(kmemtape --complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _kmemtape kmemtape
