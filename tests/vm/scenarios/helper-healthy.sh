#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# kernels: 6.12
# The traffic of helper.sh, all of it freed.
cd /lib/modules-lab || exit 1
kmemtape record -o /out/tape --stack --settle 1s -- insmod lab_helper.ko healthy=1 spread_ms=3000 || exit 1
dmesg | sed -n 's/^.*kmt-lab: //p' >/out/truth
