#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# kernels: new
# time: 40
# The traffic of reload.sh, all of it freed.
# A network namespace that comes and goes: of all that the probes watch, a calm machine does nothing.
cd /lib/modules-lab || exit 1
kmemtape record -o /out/tape --settle 1s -- sh -ec '
	unshare -n true
	insmod lab_first.ko healthy=1 spread_ms=3000
	rmmod lab_first
	sleep 1
	insmod lab_first.ko healthy=1 spread_ms=3000' || exit 1
dmesg | sed -n 's/^.*kmt-lab: //p' >/out/truth
