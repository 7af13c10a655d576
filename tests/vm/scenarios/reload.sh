#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# kernels: 5.10 new
# time: 40
# A module that is loaded twice, and leaks each time.
# The symbols of both are read while events are on, in memory that the recorder had before: it takes no more than it says.
# A network namespace that comes and goes: of all that the probes watch, a calm machine does nothing.
cd /lib/modules-lab || exit 1
kmemtape record -o /out/tape --settle 1s -- sh -ec '
	unshare -n true
	insmod lab_first.ko healthy=0 spread_ms=3000
	rmmod lab_first
	sleep 1
	insmod lab_first.ko healthy=0 spread_ms=3000' 2>/out/log || {
	cat /out/log
	exit 1
}
# "and 19.1 MiB of memory, of 22.0 MiB at most, ..."
awk '/ of memory, of / { is_good = $3 $8 == "MiBMiB" && $2 <= $7 } END { exit !is_good }' /out/log || {
	cat /out/log
	exit 1
}
dmesg | sed -n 's/^.*kmt-lab: //p' >/out/truth
