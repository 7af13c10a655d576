#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Per-CPU memory.
cd /lib/modules-lab || exit 1
kmemtape record -o /out/tape -e percpu --settle 1s -- insmod lab_percpu.ko healthy=0 spread_ms=3000 || exit 1
dmesg | sed -n 's/^.*kmt-lab: //p' >/out/truth
