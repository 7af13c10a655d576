#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# time: 60
# Objects that nobody ever passes to kfree_rcu(), of a call site of their own, next to such as are.
# Deferred frees come up to 5 s and a grace period later.
cd /lib/modules-lab || exit 1
kmemtape record -o /out/tape --settle 7s -- insmod lab_rcu.ko healthy=0 spread_ms=3000 || exit 1
dmesg | sed -n 's/^.*kmt-lab: //p' >/out/truth
