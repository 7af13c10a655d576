#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# A distilled tape gives the same report, byte for byte but for its path and the line that says what it is: of every
# golden script and frozen tape, however rows are summed up, sorted and shown.
. "$KMT_TESTS/cli/distilled-lib.sh"

groups=(site cache module owner stack)
for script in "$KMT_TESTS"/golden/*.script; do
	name=$(basename "$script" .script)
	rm -rf "$work/tape"
	"$MKTAPE" "$script" -o "$work/tape" || fail "$name: no tape"
	distill "$work/tape"
	same --format json --by "${groups[nr % 5]}"
done
for tape in "$KMT_TESTS"/frozen/*.tape; do
	name=$(basename "$tape")
	distill "$tape"
	for by in "${groups[@]}"; do
		same --format json --by $by
	done
	for sort in bytes objects allocs age; do
		same --sort $sort --top 0
	done
	same
	same --exit-code --fail-on possible --min-bytes 1K
	same --explain no_such_function
	explain
done
[ $nr -ge 75 ] || fail "$nr tapes are too few"
exit $failed
