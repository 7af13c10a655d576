#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# kernels: new
# time: 40
# The traffic of sources.sh, all of it freed.
cd /lib/modules-lab || exit 1
kmemtape record -o /out/tape -e all --stack --settle 1s -- insmod lab_sources.ko healthy=1 spread_ms=3000 || exit 1
dmesg | sed -n 's/^.*kmt-lab: //p' >/out/truth
