#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# kernels: 6.1
# The same areas, all of them given back: of vmalloc() and vmap(), freed in an interrupt, of stacks of tasks, which the
# kernel keeps for the next ones, and of a module's text, which goes with it. The kernel's own list says what is left.
cd /lib/modules-lab || exit 1
# shellcheck disable=SC2016 # the inner shell's
kmemtape record -o /out/tape -e slab,vmalloc --settle 1s -- sh -ec '
	insmod lab_areas.ko healthy=1 spread_ms=2000
	insmod lab_owner.ko
	for i in $(seq 40); do
		sleep 1 &
	done
	wait
	rmmod lab_owner
	# Once more, with what the kernel kept.
	for i in $(seq 40); do
		cat /proc/self/stat >/dev/null
	done' || exit 1
dmesg | sed -n 's/^.*kmt-lab: //p' >/out/truth
