#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# kernels: new
# The traffic of vmalloc.sh, all of it freed.
cd /lib/modules-lab || exit 1
kmemtape record -o /out/tape -e slab,vmalloc --settle 1s --snapshot-interval 300ms -- insmod lab_vmalloc.ko healthy=1 spread_ms=3000 || exit 1
dmesg | sed -n 's/^.*kmt-lab: //p' >/out/truth
