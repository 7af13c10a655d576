#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# kernels: new
# The same objects, all of them given back.
cd /lib/modules-lab || exit 1
# shellcheck disable=SC2016 # the inner shell's
kmemtape record -o /out/tape --settle 1s \
	--pair ticket=lab_ticket_alloc:lab_ticket_free@lab_pairs \
	--pair voucher=lab_voucher_alloc:lab_voucher_free%2@lab-pairs \
	--pair badge=lab_badge_get:lab_badge_put@lab_pairs,count \
	--pair dentry=__d_alloc:dentry_free -- sh -ec '
	cat /proc/sys/fs/dentry-state >/out/dentries
	insmod lab_pairs.ko healthy=1 spread_ms=3000
	mkdir /tmp/many
	for i in $(seq 300); do
		: >/tmp/many/a-name-that-is-too-long-for-the-dentry-itself-$i
	done
	cat /proc/sys/fs/dentry-state >>/out/dentries' || exit 1
rmmod lab_pairs || exit 1
dmesg | sed -n 's/^.*kmt-lab: //p' >/out/truth
