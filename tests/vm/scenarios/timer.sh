#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# kernels: 6.1
# From a timer, in a softirq.
cd /lib/modules-lab || exit 1
kmemtape record -o /out/tape --settle 1s -- insmod lab_irq.ko leak=timer healthy=0 spread_ms=3000 || exit 1
dmesg | sed -n 's/^.*kmt-lab: //p' >/out/truth
