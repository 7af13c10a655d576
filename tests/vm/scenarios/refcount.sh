#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# kernels: 6.1
# References on objects of another module that are never dropped.
cd /lib/modules-lab || exit 1
kmemtape record -o /out/tape --settle 1s -- sh -ec '
	insmod lab_owner.ko
	insmod lab_user.ko healthy=0 spread_ms=3000' || exit 1
dmesg | sed -n 's/^.*kmt-lab: //p' >/out/truth
