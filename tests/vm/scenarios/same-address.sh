#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# time: 40
# Two modules that leak, the second at the addresses of the first.
# Until the recorder, under emulation, has read the symbols of the module.
cd /lib/modules-lab || exit 1
kmemtape record -o /out/tape --settle 1s -- sh -ec '
	insmod lab_first.ko healthy=0
	sleep 3
	rmmod lab_first
	sleep 3
	insmod lab_second.ko healthy=0' || exit 1
dmesg | sed -n 's/^.*kmt-lab: //p' >/out/truth
