#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: The cgroup of the recorder has no memory left, under load.
# Promise: The recorder goes on: it takes no more than it had when the first event was on. Nothing is lost. Exit 0.
. "$(dirname "$0")/lib.sh"

make_cgroup limit
busy() { while :; do echo | cat; done >/dev/null; }
busy &
load=$!
clean_up_more()
{
	kill $load 2>/dev/null
	remove_cgroup
}
resident() { sed -n "s/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p" "/proc/$RECORDER/status"; }

start_recorder_in_cgroup -o "$WORK/a.tape" --settle 0
until_true 20 test -s "$WORK/a.tape/cpu/0000.zst"
# What it writes is its cgroup's until it is on the disk: that is used up soon, and given back by each sync.
echo $(($(cat "$USAGE") + (12 << 20))) >"$LIMIT" || fail "can not set the limit"
before=$(resident)
sleep 3
after=$(resident)
end_recorder INT
[ $STATUS = 0 ] || fail "exit status $STATUS: $(cat "$WORK/log")"
[ $((after - before)) -lt 2048 ] || fail "it grew from $before to $after KiB"
grep -q "lost 0" "$WORK/log" || fail "events were lost: $(cat "$WORK/log")"
expect_closed "$WORK/a.tape"
