#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# time: 60
# The traffic of rcu.sh, all of it freed.
cd /lib/modules-lab || exit 1
kmemtape record -o /out/tape --settle 7s -- insmod lab_rcu.ko healthy=1 spread_ms=3000 || exit 1
dmesg | sed -n 's/^.*kmt-lab: //p' >/out/truth
