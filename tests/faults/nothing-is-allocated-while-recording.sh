#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: There is no memory to be had while it records, disturbed by others, to a ring that drops the oldest.
# Promise: It asks for none while any event is on.
. "$(dirname "$0")/lib.sh"

LOADS=
clean_up_more()
{
	# shellcheck disable=SC2086 # several
	[ -z "$LOADS" ] || kill $LOADS 2>/dev/null
}

# start NAME ARG...: a recorder that counts
start()
{
	"$ALLOCATIONS" "$WORK/$1.count" record -o "$WORK/$1.tape" "${@:2}" 2>"$WORK/log" &
	RECORDER=$!
	until_true 20 is_recording $RECORDER && return
	wait $RECORDER
	[ $? != 77 ] || skip "only a build with AddressSanitizer knows"
	fail "$1 doesn't start: $(cat "$WORK/log")"
}

# expect_none NAME: nothing was allocated by a recorder that has ended
expect_none()
{
	[ "$STATUS" = 0 ] || fail "$1: exit status $STATUS: $(cat "$WORK/log")"
	read -r before while_on <"$WORK/$1.count"
	[ "$before" -gt 0 ] || fail "$1: it sees no allocation: nothing to test"
	[ "$while_on" = 0 ] || fail "$1: $while_on allocations while events were on: $(cat "$WORK/log")"
	echo "$1: $before before, none while events were on"
}

# What comes in the middle of a long recording.
start ring --max-size 16M --ring --settle 500ms --snapshot-interval 100ms
for cpu in 0 1; do
	(while :; do taskset -c $cpu ls -lR /proc/self /sys/kernel /usr/share/doc; done >/dev/null 2>&1) &
	LOADS="$LOADS $!"
done
cd "$TRACEFS/instances/kmemtape-$RECORDER" || fail "no instance"
has_told() { [ "$(grep -c "somebody else touched" "$WORK/log")" -ge "$1" ]; }
echo 'bytes_alloc==77' >events/kmem/kmalloc/filter
until_true 20 has_told 1 || fail "the filter was not noticed"
echo 0 >events/kmem/kmalloc/filter
pause() { echo 0 >tracing_on && echo 1 >tracing_on && has_told 2; } # of two things at once, one is told
until_true 20 pause || fail "the pause was not noticed: $(cat "$WORK/log")"
cd / || exit 99
has_dropped() { ! ls "$WORK"/ring.tape/cpu/000[01].zst; }
until_true 100 has_dropped || fail "nothing is dropped: $(ls -l "$WORK/ring.tape/cpu")"
if echo 0 >/sys/devices/system/cpu/cpu1/online; then
	until_true 20 grep -q "cpu 1 went offline" "$WORK/log" || fail "a CPU that goes isn't noticed"
	echo 1 >/sys/devices/system/cpu/cpu1/online
	until_true 20 grep -q "cpu 1 is back online" "$WORK/log" || fail "a CPU that comes isn't noticed"
fi 2>/dev/null
end_recorder INT
expect_none ring

# What comes at the start and at the end: of each set, as far as there are stacks, up to the largest size.
"$ALLOCATIONS" "$WORK/whole.count" record -o "$WORK/whole.tape" -e slab,page,percpu,vmalloc --stack --max-size 1M \
	--max-cpu 50 -- ls -lR /sys/kernel >/dev/null 2>"$WORK/log"
STATUS=$?
expect_none whole
