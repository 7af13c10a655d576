#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# kernels: 6.1
# One call in a thousand fails, and the error path forgets an object.
cd /lib/modules-lab || exit 1
kmemtape record -o /out/tape --settle 1s -- insmod lab_slab.ko leak=error healthy=0 spread_ms=3000 || exit 1
dmesg | sed -n 's/^.*kmt-lab: //p' >/out/truth
