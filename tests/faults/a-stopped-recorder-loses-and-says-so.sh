#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: The recorder is stopped for a while (SIGSTOP, SIGCONT).
# Promise: What does not fit into the ring buffers is counted and shown as lost; it goes on. Exit 0.
. "$(dirname "$0")/lib.sh"

busy() { while :; do echo | cat; done >/dev/null; }
busy &
load=$!
clean_up_more() { kill $load 2>/dev/null; }
has_lost()
{
	grep -hE "^overrun: [1-9]" "$TRACEFS/instances/kmemtape-$RECORDER"/per_cpu/cpu*/stats
}

state >"$WORK/before"
start_recorder -o "$WORK/a.tape" --settle 0 --buffer 256K
recorder=$RECORDER
kill -STOP "$RECORDER"
until_true 60 has_lost || fail "the buffers never overrun: nothing to test"
kill -CONT "$RECORDER"
kill $load
end_recorder INT
[ $STATUS = 0 ] || fail "exit status $STATUS: $(cat "$WORK/log")"
grep -q "^LOST " "$WORK/log" || fail "the loss is not told: $(cat "$WORK/log")"
expect_clean "$recorder" "$WORK/before" "after the recording"
expect_closed "$WORK/a.tape"
jq -e ".events.lost > 0 and .events.losses > 0" "$WORK/judged" >/dev/null || fail "the report knows of no loss"
[ "$LEAK" = none ] || fail "somebody is accused: $HEADLINE"
