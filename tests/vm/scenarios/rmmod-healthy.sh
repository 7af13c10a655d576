#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# kernels: new
# time: 40
# The traffic of rmmod.sh, all of it freed.
cd /lib/modules-lab || exit 1
kmemtape record -o /out/tape --settle 1s -- sh -ec '
	insmod lab_slab.ko leak=kmalloc healthy=1 spread_ms=3000
	rmmod lab_slab' || exit 1
dmesg | sed -n 's/^.*kmt-lab: //p' >/out/truth
