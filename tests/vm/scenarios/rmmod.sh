#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# time: 40
# A module that leaks and is unloaded: its symbols are gone when the recording ends.
cd /lib/modules-lab || exit 1
kmemtape record -o /out/tape --settle 1s -- sh -ec '
	insmod lab_slab.ko leak=kmalloc healthy=0 spread_ms=3000
	rmmod lab_slab' || exit 1
dmesg | sed -n 's/^.*kmt-lab: //p' >/out/truth
