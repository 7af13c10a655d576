#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: The cgroup of the recorder has no memory left, under load.
# Promise: The recorder goes on: it takes no more than it had when the first event was on. Nothing is lost. Exit 0.
. "$(dirname "$0")/lib.sh"

# A sanitized build would keep the stack frames of functions that have returned, in memory of its own, and use all of that in
# turn: 2 MiB in the first second.
export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_stack_use_after_return=0

make_cgroup limit
LOADS=
clean_up_more()
{
	# shellcheck disable=SC2086 # several
	[ -z "$LOADS" ] || kill $LOADS 2>/dev/null
	remove_cgroup
}
for cpu in $(cd /sys/devices/system/cpu && echo cpu[0-9]*); do
	(while echo | taskset -c "${cpu#cpu}" cat; do :; done >/dev/null 2>&1) & # until it fails: a CPU may be offline
	LOADS="$LOADS $!"
done

# Its own memory: the pages of its program come and go with what others do.
anonymous() { sed -n "s/^RssAnon:[^0-9]*\([0-9]*\).*/\1/p" "/proc/$RECORDER/status"; }

start_recorder_in_cgroup -o "$WORK/a.tape" --settle 0
before=$(anonymous)
for _ in 1 2; do
	expect_growth "$WORK"/a.tape/cpu/*.zst
done
# What it writes is its cgroup's until it is on the disk: that is used up soon, and given back by each sync.
echo $(($(cat "$USAGE") + (12 << 20))) >"$LIMIT" || fail "can not set the limit"
sleep 3
after=$(anonymous)
end_recorder INT
[ $STATUS = 0 ] || fail "exit status $STATUS: $(cat "$WORK/log")"
[ $((after - before)) -lt 512 ] || fail "it grew from $before to $after KiB"
grep -q "lost 0" "$WORK/log" || fail "events were lost: $(cat "$WORK/log")"
expect_closed "$WORK/a.tape"
echo "from $before to $after KiB"
