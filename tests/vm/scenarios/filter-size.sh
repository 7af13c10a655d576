#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# kernels: 6.12
# The leak of kmalloc.sh; only what is large is recorded.
cd /lib/modules-lab || exit 1
kmemtape record -o /out/tape --min-size 10000 --settle 1s -- insmod lab_slab.ko leak=kmalloc healthy=0 spread_ms=3000 || exit 1
dmesg | sed -n 's/^.*kmt-lab: //p' | grep lab_kmalloc_large_leak >/out/truth
