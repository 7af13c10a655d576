#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# time: 40
# Nothing leaks: what a machine does all day, processes, files, directories, and a module that is all right.
cd /lib/modules-lab || exit 1
kmemtape record -o /out/tape --settle 1s -- sh -c '
	insmod lab_slab.ko leak=kmalloc healthy=1 spread_ms=3000 &
	end=$(($(date +%s) + 5))
	while [ "$(date +%s)" -lt $end ]; do
		find / -xdev >/tmp/found
		find /sys/devices | head -n 500 | while read -r file; do echo "$file"; done >/dev/null
		dd if=/dev/zero of=/tmp/file bs=4k count=500 2>/dev/null
		rm /tmp/file
		cat /proc/[0-9]*/stat 2>/dev/null | sort >/dev/null
	done
	wait' || exit 1
dmesg | sed -n 's/^.*kmt-lab: //p' >/out/truth
