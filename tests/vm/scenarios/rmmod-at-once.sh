#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# kernels: 6.1 new
# As rmmod.sh, but a recorder that looks when it hears of the module may come too late.
cd /lib/modules-lab || exit 1
kmemtape record -o /out/tape --settle 1s -- sh -ec '
	insmod lab_slab.ko leak=kmalloc healthy=0
	rmmod lab_slab' || exit 1
dmesg | sed -n 's/^.*kmt-lab: //p' >/out/truth
