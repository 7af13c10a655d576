#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# kmalloc() in a loop: of a constant size, of all sizes, and of more than a cache has.
cd /lib/modules-lab || exit 1
kmemtape record -o /out/tape --settle 1s -- insmod lab_slab.ko leak=kmalloc healthy=0 spread_ms=3000 || exit 1
dmesg | sed -n 's/^.*kmt-lab: //p' >/out/truth
