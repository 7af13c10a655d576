#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: The disk takes five seconds to sync.
# Promise: Nobody waits for it: recording goes on, a signal ends it meanwhile. Exit 0, a closed tape.
. "$(dirname "$0")/disk.sh"

start_on_disk
disk "fault on=fsync ms=120000 times=1 files=a.tape/cpu/0000.zst" # or until it has been seen that nobody waits
until_true 20 disk_hits 1 || fail "nothing was synced"
kill -INT "$RECORDER"
is_off() { ! is_recording "$RECORDER"; }
until_true 60 is_off || fail "the signal isn't heard while the disk syncs"
disk clear
wait_recorder
[ $STATUS = 0 ] || fail "exit status $STATUS: $(cat "$WORK/log")"
"$KMEMTAPE" verify "$TAPE" >"$WORK/verify" || fail "verify: $(cat "$WORK/verify")"
has_events_on "$TAPE"
