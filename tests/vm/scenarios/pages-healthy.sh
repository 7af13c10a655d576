#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# kernels: 6.1
# The traffic of pages.sh, all of it freed.
cd /lib/modules-lab || exit 1
kmemtape record -o /out/tape -e slab,page --settle 1s -- insmod lab_pages.ko healthy=1 spread_ms=3000 || exit 1
dmesg | sed -n 's/^.*kmt-lab: //p' >/out/truth
