#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: SIGKILL.
# Promise: All but the last second is on the tape, each file whole; the next run cleans tracefs.
# Chunks and marks are written each second: SIGKILL costs what came after the last one.
. "$(dirname "$0")/lib.sh"

command -v zstd >/dev/null || skip "needs zstd"
start_recorder -q -o "$WORK/a.tape"
size=$(stat -c %s "$WORK/a.tape/cpu/0000.zst")
# Each of three seconds has to bring something. Looking more often would fill chunks by itself.
for second in 1 2 3; do
	sleep 1.2
	now=$(stat -c %s "$WORK/a.tape/cpu/0000.zst")
	[ "$now" -gt "$size" ] || fail "nothing was written for 1.2 s (second $second)"
	size=$now
done
end_recorder KILL
for file in "$WORK"/a.tape/cpu/*.zst; do
	zstd -qt "$file" || fail "$file is damaged"
	[ "$(zstd -dc "$file" | wc -c)" -gt 0 ] || fail "$file: nothing in it"
done
grep -q '"allocs_on_ns": *[1-9]' "$WORK/a.tape/manifest.json" ||
	fail "the manifest doesn't tell when allocations began"
is_closed "$WORK/a.tape" && fail "the tape claims to be closed"

# The next run cleans up.
"$KMEMTAPE" record -q -o "$WORK/b.tape" -d 100ms --settle 0 2>/dev/null || fail "next: $?"
