#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# kernels: 6.12
# The leak of refcount.sh; only what one module allocates is recorded.
cd /lib/modules-lab || exit 1
insmod lab_owner.ko || exit 1
kmemtape record -o /out/tape --module lab_owner --settle 1s -- insmod lab_user.ko healthy=0 spread_ms=3000 || exit 1
dmesg | sed -n 's/^.*kmt-lab: //p' >/out/truth
