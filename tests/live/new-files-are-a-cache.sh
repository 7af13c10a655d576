#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Files that are made, or just looked at: their inodes stay in memory until somebody needs it, and with them what belongs
# to them and is in caches of its own that nobody would shrink: what a security module notes down for each, and
# what the allocator itself notes down for each slab.
. "$(dirname "$0")/lib.sh"

FOR=9 # seconds

mkdir "$WORK/files"
"$KMEMTAPE" record -q -o "$WORK/files.tape" --settle 1s -- "$BASH" -c '
	cd "$1" && end=$((SECONDS + $2)) && i=0
	while [ $SECONDS -lt $end ]; do
		for ((n = 0; n < 100; n++)); do : >$((i++)); done
		sleep 0.05
	done' sh "$WORK/files" $FOR || fail "exit status $?"
grep -q '"symbols": *"good"' "$WORK/files.tape/manifest.json" || skip "this kernel hides its symbols"
judge "$WORK/files.tape" 1500ms
files=$(ls "$WORK/files" | wc -l)
jq -r '.sites[] | select(.mature_objects >= 500) | "\(.class) \(.live_objects) \(.symbol)  \(.cache)"' "$WORK/judged" >"$WORK/many"
cat "$WORK/many"
inodes=$(awk '$3 ~ /_alloc_inode/ { n += $2 } END { print n + 0 }' "$WORK/many")
[ "$files" -ge 3000 ] && [ "$inodes" -ge $((files / 2)) ] || skip "$files files, $inodes inodes: another filesystem than expected"
expect_no_leak "$WORK/files.tape" 1500ms bash
exit 0
