#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Fault: The recorder is killed where it has kprobes; so is, another time, its janitor.
# Promise: The janitor removes the probes with the instance; without it, the next record does. Those of others stay.
# time: 120
# The traffic of rcu-same-site.sh, after recordings that ended in all ways. Their probes are gone, after SIGKILL with
# the next recording; those of others stay.
T=/sys/kernel/tracing
state()
{
	ls $T/instances
	# In one go: a process is slow here.
	grep -H . $T/kprobe_events $T/uprobe_events $T/dynamic_events $T/set_event $T/tracing_on $T/error_log \
		$T/events/*/enable /sys/kernel/debug/kprobes/list
}

# Usage: expect_same AFTER-WHAT
expect_same()
{
	state >/out/after
	cmp -s /out/before /out/after || {
		echo "tracefs differs after $1"
		diff /out/before /out/after
		exit 1
	}
}

# Usage: begin; a recording, with its pid in $recorder
begin()
{
	nr=$((nr + 1))
	kmemtape record -q -o "/tmp/$nr.tape" --settle 0 --pair dentry=__d_alloc:dentry_free \
		--pair badge=lab_badge_get:lab_badge_put@lab_pairs,count &
	recorder=$!
	for try in $(seq 300); do
		[ "$(cat $T/instances/kmemtape-$recorder/events/kmem/kmem_cache_alloc/enable 2>/dev/null)" != 1 ] || return 0
		usleep 50000
	done
	echo "it does not start"
	exit 1
}

# Usage: expect_probe NAME FUNCTION
expect_probe()
{
	grep -qE "^(p|r[0-9]+):kmemtape_$recorder/$1 $2 " $T/kprobe_events || {
		echo "there is no probe $1 on $2"
		exit 1
	}
}

nr=0
# shellcheck disable=SC2016 # the kernel's
echo 'p:others/mine kfree ptr=$arg1' >>$T/kprobe_events || exit 1
state >/out/before

begin
expect_probe rcu_free kvfree_call_rcu
expect_probe bulk_free kmem_cache_free_bulk
expect_probe bulk_free_more kmem_cache_free_bulk
expect_probe pair_dentry_alloc __d_alloc
expect_probe pair_dentry_free dentry_free
expect_probe pair_badge_alloc lab_pairs:lab_badge_get
expect_probe pair_badge_free lab_pairs:lab_badge_put
kill -INT $recorder
wait $recorder || exit 1
expect_same "the end"

kmemtape record -q -o /tmp/failed.tape -- /nonexistent 2>/dev/null && exit 1
expect_same "a command that can't be run"

# Usage: expect_refused PAIR WHY
expect_refused()
{
	kmemtape record -q -o /tmp/refused.tape -d 1s --pair "$1" 2>/tmp/refused.err && exit 1
	grep "$2" /tmp/refused.err || {
		cat /tmp/refused.err
		exit 1
	}
	: >$T/error_log # where the kernel keeps what it refused
	expect_same "$1"
}

expect_refused x=__d_alloc:no_such_function "there is no function no_such_function"
expect_refused x=no_such_function:dentry_free "there is no function no_such_function"
expect_refused x=__d_alloc:nothing@virtio_blk "virtio_blk has no function"
expect_refused x=do_int3:dentry_free "takes no probe on do_int3"
expect_refused x=__d_alloc:dentry_free%2 "has 1 argument"

begin
for status in /proc/[0-9]*/status; do # its janitor goes first
	grep -q "^Name:.kmt-janitor" "$status" && kill -KILL "$(sed -n 's/^Pid:.//p' "$status")"
done
kill -KILL $recorder
wait $recorder
expect_probe rcu_free kvfree_call_rcu
kmemtape record -o /tmp/next.tape -d 100ms --settle 0 2>/out/next.err || exit 1
grep "removed the probes kmemtape_$recorder" /out/next.err || exit 1
expect_same "SIGKILL and the next run"

begin
kill -KILL $recorder
wait $recorder
for try in 1 2 3 4 5 6 7 8 9 10; do
	[ ! -d $T/instances/kmemtape-$recorder ] && ! grep -q "kmemtape_$recorder/" $T/kprobe_events && break
	sleep 1
done
expect_same "SIGKILL and the janitor"
echo '-:others/mine' >>$T/kprobe_events || exit 1

cd /lib/modules-lab || exit 1
kmemtape record -o /out/tape --settle 7s -- insmod lab_rcu.ko same_site=1 healthy=0 spread_ms=3000 || exit 1
grep '"free_probes":"on"' /out/tape/manifest.json || exit 1
dmesg | sed -n 's/^.*kmt-lab: //p' >/out/truth
