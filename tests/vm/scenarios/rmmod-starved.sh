#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# time: 40
# kernels: 6.1 6.12
# As rmmod.sh, with a recorder that gets little time: the kernel announces a module when its init function has returned,
# and here rmmod is faster than who waits for that.
cd /lib/modules-lab || exit 1
# shellcheck disable=SC2016 # of the shell within
kmemtape record -o /out/tape --settle 1s -- sh -c '
	renice -n 12 $PPID
	for i in 1 2 3 4; do (while :; do :; done) & done
	renice -n -15 $$
	insmod lab_slab.ko leak=kmalloc healthy=0 spread_ms=3000 && rmmod lab_slab
	status=$?
	kill $(jobs -p)
	exit $status' || exit 1
dmesg | sed -n 's/^.*kmt-lab: //p' >/out/truth
