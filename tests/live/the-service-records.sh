#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The systemd service is valid, well hardened, and records all the same: run by a systemd of its own, process 1 of a pid namespace.
. "$(dirname "$0")/lib.sh"

command -v systemd-analyze >/dev/null || skip "needs systemd"
[ -s "$HELPERS/systemd/kmemtape-record.service" ] || skip "the service isn't built"
export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0
unit=$WORK/kmemtape-record.service
sed "s|^ExecStart=[^ ]*|ExecStart=$KMEMTAPE|" "$HELPERS/systemd/kmemtape-record.service" >"$unit"
systemd-analyze verify --man=no "$unit" 2>"$WORK/log" || fail "$(cat "$WORK/log")"
[ ! -s "$WORK/log" ] || fail "not valid: $(cat "$WORK/log")"
systemd-analyze security --offline=yes --no-pager --threshold=18 "$unit" >"$WORK/security" 2>&1 ||
	fail "not hardened: $(grep -v '✓' "$WORK/security")"
tail -n 1 "$WORK/security"

systemd=/usr/lib/systemd/systemd
[ -x $systemd ] || skip "needs $systemd"
unshare --mount --pid --fork true 2>/dev/null || skip "needs namespaces"
tracefs_state >"$WORK/before"
mkdir "$WORK/state"
cat >"$WORK/options" <<EOT
[Unit]
DefaultDependencies=no
RequiresMountsFor=
[Service]
Environment="KMEMTAPE_OPTIONS=--settle 100ms" "ASAN_OPTIONS=$ASAN_OPTIONS"
StandardError=file:/run/log
EOT
cat >"$WORK/boot" <<EOT
set -e
mount --make-rprivate /
mount -t proc proc /proc
mount --bind $WORK/state /var/lib
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system/kmemtape-record.service.d
# The unit sees neither /tmp nor /root, where this may be built.
cp $KMEMTAPE /run/kmemtape
sed 's|^ExecStart=[^ ]*|ExecStart=/run/kmemtape|' $unit >/run/systemd/system/kmemtape-record.service
cp $WORK/options /run/systemd/system/kmemtape-record.service.d/options.conf
printf '[Unit]\nDefaultDependencies=no\nWants=kmemtape-record.service\n' >/run/systemd/system/test.target
umount -l /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
container=test exec $systemd --system --unit=test.target --log-target=console
EOT
unshare --mount --pid --cgroup --uts --ipc --fork --kill-child bash "$WORK/boot" >"$WORK/log" 2>&1 </dev/null &
booted=$!
clean_up_more()
{
	kill -KILL $booted 2>/dev/null
	wait $booted 2>/dev/null
}
first_pid() { init=$(pgrep -P $booted); }
# The instance is called by the pid in that namespace; recorders of others are no children of that systemd.
recorder_pid() { recorder=$(pgrep -P "$init" -x kmemtape); }
has_tape() { tape=$(echo "$WORK"/state/kmemtape/kmemtape-*.tape) && grep -q '"allocs_on_ns": *[1-9]' "$tape/manifest.json"; }
inside() { nsenter --target "$init" --mount --pid --root "$@"; }

until_true 10 first_pid || skip "can't run a systemd of its own: $(tail -n 3 "$WORK/log")"
until_true 30 recorder_pid || skip "its systemd doesn't start services: $(tail -n 3 "$WORK/log")"
until_true 100 has_tape || fail "it doesn't record: $(inside cat /run/log)"
sed -n '/^Cap\|^NoNew\|^Seccomp:/s/\s\+/ /p' "/proc/$recorder/status" >"$WORK/status"
for line in 'CapPrm: 0000000400000000' 'CapBnd: 0000000400000000' 'NoNewPrivs: 1' 'Seccomp: 2'; do
	grep -qx "$line" "$WORK/status" || fail "not '$line': $(cat "$WORK/status")"
done
for place in / /sys /proc/sys; do
	awk -v place=$place '$5 == place && $6 ~ /^ro/ { found = 1 } END { exit !found }' "/proc/$recorder/mountinfo" ||
		fail "$place can be written"
done
inside systemctl stop kmemtape-record || fail "stop: exit status $?: $(inside systemctl status kmemtape-record)"
inside systemctl show -p Result,ExecMainStatus kmemtape-record >"$WORK/result"
grep -qx Result=success "$WORK/result" && grep -qx ExecMainStatus=0 "$WORK/result" ||
	fail "$(cat "$WORK/result"): $(inside cat /run/log)"
is_closed "$tape" || fail "the tape isn't closed"
grep -q '"symbols": *"good"' "$tape/manifest.json" || fail "no symbols"
zstd -dc "$tape/snapshots.zst" | grep -A1 '^==> /proc/slabinfo' | grep -q '^slabinfo' || fail "no slabinfo"
# Limits can only be raised where root has cap_sys_resource. All else must be as without a service.
inside cat /run/log | grep -v 'SCHED_FIFO is not permitted\|memory can.t be locked' && fail "something lacks in the service"
tracefs_state | diff "$WORK/before" - || fail "tracefs differs"
exit 0
