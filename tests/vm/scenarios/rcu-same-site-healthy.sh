#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# kernels: new
# time: 60
# The traffic of rcu-same-site.sh, all of it freed.
cd /lib/modules-lab || exit 1
kmemtape record -o /out/tape --settle 7s -- insmod lab_rcu.ko same_site=1 healthy=1 spread_ms=3000 || exit 1
dmesg | sed -n 's/^.*kmt-lab: //p' >/out/truth
