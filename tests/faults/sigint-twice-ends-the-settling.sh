#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: SIGINT, and once more while it settles.
# Promise: The second ends the settling, and no more: exit 0, closed, tracefs as before.
. "$(dirname "$0")/lib.sh"

state >"$WORK/before"
start_recorder -q -o "$WORK/a.tape" --settle 120s
recorder=$RECORDER
kill -INT "$RECORDER"
until_true 20 grep -q 0 "$TRACEFS/instances/kmemtape-$RECORDER/events/kmem/kmem_cache_alloc/enable" ||
	fail "allocations stay on after SIGINT"
end_recorder INT
[ $STATUS = 0 ] && [ ! -s "$WORK/log" ] || fail "exit status $STATUS: $(cat "$WORK/log")"
expect_clean "$recorder" "$WORK/before" "after SIGINT"
expect_closed "$WORK/a.tape"
