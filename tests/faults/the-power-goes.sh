#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: The power goes: as events go on, while recording, and at the end.
# Promise: At any time there is a tape that can be read, without what came after the last sync: about two seconds.
. "$(dirname "$0")/disk.sh"

# after_cut SIZE: what the disk kept, both of what it does at once and of what it puts off, is a tape; of its first CPU, SIZE
# bytes
after_cut()
{
	local tree size

	kill -KILL "$RECORDER"
	wait "$RECORDER" 2>/dev/null
	RECORDER=
	for tree in lazy eager; do
		tape=$AFTERMATH/$tree/a.tape
		"$KMEMTAPE" replay --format json "$tape" >"$WORK/json" || fail "$tree: replay: exit status $?"
		[ "$(jq .tape.complete "$WORK/json")" = false ] || [ "$2" = closed ] ||
			fail "$tree: replay takes it for complete"
		size=$(stat -c %s "$tape/cpu/0000.zst")
		[ "$size" -ge "$1" ] || fail "$tree: $size of $1 bytes are left"
		[ "$(jq -r .time.start_ns "$tape/manifest.json")" != 0 ] || [ "$2" = begun ] ||
			fail "$tree: it doesn't say when it began"
		jq -e '.sites | length > 0 and (map(.function) | any(. != null))' "$WORK/json" >/dev/null ||
			[ "$2" = begun ] || fail "$tree: no call site has a name"
		[ -s "$tape/events/kmem/kmalloc/format" ] || fail "$tree: no formats"
	done
}

start_on_disk
disk cut
after_cut 64 begun
close_disk

open_disk
start_on_disk
wait_for_a_chunk
size=$(stat -c %s "$BACKING/a.tape/cpu/0000.zst")
disk "fault on=fsync files=a.tape/cpu/0000.zst" # does nothing but count
until_true 20 disk_hits 2 || fail "it doesn't sync"
disk cut
after_cut "$size" running
close_disk

open_disk
start_on_disk
wait_for_a_chunk
disk "fault on=rename files=a.tape/manifest.json"
kill -INT "$RECORDER"
until_true 20 disk_hits 1 || fail "it doesn't end"
disk cut
after_cut 1000 closed
