#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# kernels: 6.12
# Fault: The clock is set forth and back, the machine is suspended, and kprobes are switched off as a whole.
# Promise: Nothing is lost, ages are of the time awake; info says what was. Of kprobes: told once, the report heeds it. Exit 0.
# time: 90
K=/sys/kernel/debug/kprobes/enabled
T=/sys/kernel/tracing

# Usage: expect FILE TEXT
expect()
{
	grep -q "$2" "$1" && return 0
	echo "no '$2' in:"
	cat "$1"
	exit 1
}

kmemtape record -q -o /tmp/probes.tape --settle 0 2>/out/probes.err &
recorder=$!
for try in $(seq 300); do
	[ "$(cat $T/instances/kmemtape-$recorder/events/kmem/kmem_cache_alloc/enable 2>/dev/null)" != 1 ] || break
	usleep 50000
done
usleep 1500000 # a look at all that is right
echo 0 >$K || exit 1
for try in $(seq 300); do
	! grep -q 'somebody else touched' /out/probes.err || break
	usleep 50000
done
expect /out/probes.err "somebody else touched $K"
echo 1 >$K
kill -INT $recorder
wait $recorder || exit 1
[ "$(wc -l </out/probes.err)" = 1 ] || exit 1
kmemtape replay --grace 500ms /tmp/probes.tape >/out/probes.report || exit 1
expect /out/probes.report "touched $K"
! grep -q '^LEAK LIKELY' /out/probes.report || exit 1

cd /lib/modules-lab || exit 1
# The clock stays set, by an hour. A module leaks all the time. To suspend takes one CPU off, too.
kmemtape record -o /out/tape --settle 1s -- sh -c '
	insmod lab_slab.ko leak=kmalloc healthy=0 spread_ms=3000 &
	sleep 1
	date -s "@$(($(date +%s) - 86400))" >/dev/null || exit 1
	sleep 1
	date -s "@$(($(date +%s) + 90000))" >/dev/null || exit 1
	echo enabled >/sys/class/rtc/rtc0/device/power/wakeup
	echo +4 >/sys/class/rtc/rtc0/wakealarm && echo mem >/sys/power/state || exit 1
	wait' || exit 1
date -s "@$(($(date +%s) - 3600))" >/dev/null
: >/run/power-off-by-reboot # qemu 7.2 goes on after a power-off that follows a suspend
dmesg | sed -n 's/^.*kmt-lab: //p' >/out/truth
kmemtape info /out/tape >/out/info || exit 1
# A second is what `date` and the clock that is read after a suspend are good for.
expect /out/info 'clock was set by +3[56][09][0-9] s while recording'
expect /out/info 'machine was suspended for [1-9]'
kmemtape replay /out/tape >/out/report || exit 1
expect /out/report 'was suspended for '
