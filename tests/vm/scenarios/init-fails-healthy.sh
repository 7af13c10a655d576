#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# kernels: new
# The traffic of init-fails.sh, all of it freed.
# insmod of busybox tries twice: it takes that time twice.
cd /lib/modules-lab || exit 1
kmemtape record -o /out/tape --settle 1s -- sh -c '! insmod lab_init.ko fail=1 healthy=1 spread_ms=1500' || exit 1
dmesg | sed -n 's/^.*kmt-lab: //p' >/out/truth
