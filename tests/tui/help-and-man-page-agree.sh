#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The keys of ? are those of the man page, word by word.
. "$(dirname "$0")/lib.sh"
make_script '' >script
"$MKTAPE" script -o tape || exit 1
start 160 60
look
press '?'
expect 'this help'
screen | sed -n '3,/^$/p' | sed -nE 's/^(.{25}) (.*)$/\1|\2/p' | sed -E 's/ +\|/|/' >of_help
sed -n '/^# THE SCREEN/,/^# [^T]/p' "$KMT_TESTS/../tools/man/kmemtape-replay.1.scd" |
	sed -nE '/^\*[^*]+\*$/ { s/\*//g; N; s/\n\t/|/; p }' >of_page
[ "$(wc -l <of_help)" -gt 15 ] || fail "the help has few keys: $(screen)"
diff of_help of_page || fail "help (<) and man page (>) differ"
press q q
expect '^shell>'
exit $failed
