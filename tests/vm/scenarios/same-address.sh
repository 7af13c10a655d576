#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# kernels: 5.10 6.1
# time: 40
# Two modules that leak, the second at the addresses of the first.
# A network namespace that comes and goes: of all that the probes watch, a calm machine does nothing.
cd /lib/modules-lab || exit 1
kmemtape record -o /out/tape --settle 1s -- sh -ec '
	unshare -n true
	insmod lab_first.ko healthy=0 spread_ms=3000
	rmmod lab_first
	sleep 1
	insmod lab_second.ko healthy=0 spread_ms=3000' || exit 1
dmesg | sed -n 's/^.*kmt-lab: //p' >/out/truth
