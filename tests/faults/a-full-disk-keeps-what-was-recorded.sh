#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: The disk is full, while recording or from the start.
# Promise: Ends in order: exit 1, one line; each file is whole. From the start: no tape is left. tracefs as before.
. "$(dirname "$0")/lib.sh"

mkdir "$WORK/disk"
mount -t tmpfs -o size=4m kmemtape-test "$WORK/disk" 2>/dev/null || skip "can't mount a tmpfs"
busy() { while :; do echo | cat; done >/dev/null; }
busy &
load=$!
clean_up_more()
{
	kill $load 2>/dev/null
	umount -l "$WORK/disk"
}

# record_here ARG...: on that disk, until it ends by itself; sets $status
record_here()
{
	"$KMEMTAPE" record -q --reserve 0 "$@" 2>"$WORK/log" &
	RECORDER=$!
	ended=$RECORDER
	wait $RECORDER
	status=$?
	RECORDER=
}

state >"$WORK/before"
record_here -o "$WORK/disk/full.tape"
[ $status = 1 ] || fail "exit status $status: $(cat "$WORK/log")"
expect_line "$WORK/log" "No space left on device"
expect_clean "$ended" "$WORK/before" "after the recording"
grep -q '"allocs_off_ns": *[1-9]' "$WORK/disk/full.tape/manifest.json" ||
	fail "the end isn't in the manifest: $(cat "$WORK/disk/full.tape/manifest.json")"
for file in "$WORK"/disk/full.tape/*.zst "$WORK"/disk/full.tape/*/*.zst; do
	zstd -qt "$file" || fail "$file is damaged"
done
[ "$(cat "$WORK"/disk/full.tape/cpu/*.zst | wc -c)" -gt 1000000 ] || fail "hardly anything was kept"

# No room even for a start: nothing stays.
head -c 8000000 /dev/zero >"$WORK/disk/filler" 2>/dev/null
record_here -o "$WORK/disk/second.tape" -d 100ms
[ $status = 1 ] || fail "full from the start: exit status $status"
expect_line "$WORK/log" "No space left on device"
[ ! -e "$WORK/disk/second.tape" ] || fail "left a tape without anything in it"
expect_clean "$ended" "$WORK/before" "when it was full from the start"
