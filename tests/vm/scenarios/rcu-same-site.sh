#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# time: 60
# The hard case: objects that nobody ever passes to kfree_rcu(), allocated where the healthy ones are.
# Deferred frees come up to 5 s and a grace period later.
cd /lib/modules-lab || exit 1
kmemtape record -o /out/tape --settle 7s -- insmod lab_rcu.ko same_site=1 healthy=0 spread_ms=3000 || exit 1
dmesg | sed -n 's/^.*kmt-lab: //p' >/out/truth
