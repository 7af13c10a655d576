#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# kernels: new
# As init.sh, of a module that refuses to load after it.
# insmod of busybox tries twice: it takes that time twice.
cd /lib/modules-lab || exit 1
kmemtape record -o /out/tape --settle 1s -- sh -c '! insmod lab_init.ko fail=1 healthy=0 spread_ms=1500' || exit 1
dmesg | sed -n 's/^.*kmt-lab: //p' >/out/truth
