#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# kernels: 5.10 6.1
# In an __init function, which has no symbol once the module is loaded.
cd /lib/modules-lab || exit 1
kmemtape record -o /out/tape --settle 1s -- insmod lab_init.ko healthy=0 spread_ms=3000 || exit 1
dmesg | sed -n 's/^.*kmt-lab: //p' >/out/truth
