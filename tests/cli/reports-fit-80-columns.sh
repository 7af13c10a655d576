#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# A report is at most 80 columns wide, also where the tape is a part of all; and what is an estimate is called one.
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0

for name in frees-of-what-a-sample-left-out frees-of-what-a-filter-left-out; do
	"$MKTAPE" "$KMT_TESTS/golden/$name.script" -o $name || exit 1
	"$KMEMTAPE" replay $name >text || failed=1
	grep -q 'not recorded on purpose' text || {
		echo "$name: not a word of what was left out: $(cat text)"
		failed=1
	}
	awk -v name=$name 'length > 80 { print name ": " $0; bad = 1 } END { exit bad }' text || failed=1
done
"$KMEMTAPE" replay frees-of-what-a-sample-left-out | tr -s '\n ' ' ' |
	grep -q 'SAMPLE: LIVE, OBJECTS, RATE and what is explained are estimates, all other numbers are as recorded' || {
	echo "the bill of a sample is no estimate"
	failed=1
}
"$KMEMTAPE" replay --explain alloc_pipe_info frees-of-what-a-sample-left-out | tr -s '\n ' ' ' |
	grep -q 'SAMPLE: all numbers are as recorded, and not estimates of all that there was' || {
	echo "a dossier of a sample is taken for an estimate"
	failed=1
}
exit $failed
