#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# kernels: 5.10 6.12
# time: 90
# rmmod.sh under sudo: a recorder that is no longer root sees the symbols of a module that comes and goes, drains a CPU that
# comes later in real time, removes its probes, and unmounts what it mounted; with these capabilities and no others.
T=/sys/kernel/tracing
export SUDO_UID=1000 SUDO_GID=1000
mkdir /out/tape && chown 1000:1000 /out /out/tape || exit 1
echo 0 >/sys/devices/system/cpu/cpu1/online || exit 1
cd /lib/modules-lab || exit 1
# shellcheck disable=SC2016 # the inner shell's
kmemtape record -o /out/tape --settle 1s -- sh -ec '
	insmod lab_slab.ko leak=kmalloc healthy=0 spread_ms=3000
	rmmod lab_slab
	echo 1 >/sys/devices/system/cpu/cpu1/online
	for try in $(seq 300); do
		[ ! -e /out/tape/cpu/0001.zst ] || break
		usleep 50000
	done
	sleep 1
	for thread in /proc/$PPID/task/*; do
		grep -E "^(Name|Uid|CapPrm)" $thread/status | tr "\n\t" "  "
		echo policy $(cut -d" " -f41 $thread/stat)
	done >/tmp/threads
	id -u' >/tmp/uid 2>/out/log || exit 1
dmesg | sed -n 's/^.*kmt-lab: //p' >/out/truth
[ "$(cat /tmp/uid)" = 0 ] || exit 1 # the command is root's, as all behind sudo

# Usage: expect FILE LINE
expect()
{
	grep -qx "$2" "$1" || {
		echo "no '$2' in:"
		cat "$1"
		exit 1
	}
}
user='Uid: 1000 1000 1000 1000'
expect /tmp/threads "Name: kmemtape $user CapPrm: 0000000400000022 policy 0"
expect /tmp/threads "Name: kmt-drain/0 $user CapPrm: 0000000000000000 policy 1"
expect /tmp/threads "Name: kmt-drain/1 $user CapPrm: 0000000000000000 policy 1"
expect /out/log "the recorder was .* with cap_dac_override,cap_kill,cap_syslog only"
[ -z "$(find /out/tape ! -user 1000)" ] || exit 1
grep -q '"free_probes":"on"' /out/tape/manifest.json || exit 1
[ -z "$(ls $T/instances)$(cat $T/kprobe_events)" ] || exit 1

umount $T || exit 1
kmemtape record -o /out/second.tape -d 100ms --settle 0 2>/out/log || exit 1
expect /out/log "the recorder was .* with cap_dac_override,cap_sys_admin,cap_syslog only"
grep " $T " /proc/mounts && exit 1
mount -t tracefs tracefs $T
rm -r /out/second.tape

# A group that tracefs is mounted for can't make an instance of its own.
mount -o remount,gid=1000,mode=770 $T
mkdir -p /etc
echo 'user:x:1000:1000::/:/bin/sh' >>/etc/passwd
su user -c 'kmemtape record -o /out/third.tape -d 100ms --settle 0' 2>/out/log && exit 1
expect /out/log "kmemtape record: .*: permission denied: .*"
mount -o remount,gid=0,mode=700 $T
