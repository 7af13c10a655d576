#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# kernels: 6.1 6.12
# What kstrdup(), kvmalloc() and alloc_skb() allocate for a module: some of the call sites are theirs, the stack tells
# for whom.
cd /lib/modules-lab || exit 1
kmemtape record -o /out/tape --stack --settle 1s -- insmod lab_helper.ko healthy=0 spread_ms=3000 || exit 1
dmesg | sed -n 's/^.*kmt-lab: //p' >/out/truth
