#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: The recorder may run on one CPU only (taskset), or is moved there while it records.
# Promise: It reads the buffers of all CPUs from there; nothing is lost at an ordinary load. Exit 0.
. "$(dirname "$0")/lib.sh"

[ "$(nproc)" -ge 2 ] || skip "needs two CPUs"
start_recorder -o "$WORK/a.tape" --settle 0
for task in /proc/"$RECORDER"/task/*; do
	taskset -p -c 0 "${task##*/}" >/dev/null || fail "can't move it"
done
taskset -c 1 ls -R /sys/devices >/dev/null
taskset -c 0 ls -R /sys/devices/system >/dev/null
end_recorder INT
[ $STATUS = 0 ] || fail "exit status $STATUS: $(cat "$WORK/log")"
grep -q "lost 0" "$WORK/log" || fail "events were lost: $(cat "$WORK/log")"
expect_closed "$WORK/a.tape"
"$HELPERS/script/tapedump" "$WORK/a.tape" >"$WORK/dump" || fail "tapedump: exit status $?"
for cpu in 0 1; do
	grep -qE "^[0-9]+ $cpu .*(kmalloc|kmem_cache_alloc)" "$WORK/dump" || fail "nothing of CPU $cpu"
done

taskset -c 0 "$KMEMTAPE" record -q -o "$WORK/b.tape" -d 300ms --settle 0 2>"$WORK/log" || fail "exit status $?"
expect_closed "$WORK/b.tape"
