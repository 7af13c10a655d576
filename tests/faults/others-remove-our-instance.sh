#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: Somebody removes our instance, and every one that goes.
# Promise: The kernel refuses; the recording goes on, and is complete. Exit 0.
. "$(dirname "$0")/lib.sh"

state >"$WORK/before"
start_recorder -q -o "$WORK/a.tape" --settle 0
recorder=$RECORDER
rmdir "$TRACEFS/instances/kmemtape-$RECORDER" 2>/dev/null && fail "the kernel let it go"
is_recording "$RECORDER" || fail "it does not record any more"
end_recorder INT
[ $STATUS = 0 ] && [ ! -s "$WORK/log" ] || fail "exit status $STATUS: $(cat "$WORK/log")"
expect_clean "$recorder" "$WORK/before" "after the recording"
expect_closed "$WORK/a.tape"
[ "$(jq .events.losses "$WORK/judged")" = 0 ] || fail "the report knows of a loss"
