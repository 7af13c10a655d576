#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# kernels: new
# From a hard interrupt.
cd /lib/modules-lab || exit 1
kmemtape record -o /out/tape --settle 1s -- insmod lab_irq.ko leak=irq healthy=0 spread_ms=3000 || exit 1
dmesg | sed -n 's/^.*kmt-lab: //p' >/out/truth
