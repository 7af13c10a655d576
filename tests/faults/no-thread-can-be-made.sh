#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: No process or thread can be made (pids cgroup).
# Promise: One line says it, exit 1; no tape is left, tracefs as before.
. "$(dirname "$0")/lib.sh"

root=/sys/fs/cgroup/pids
if grep -qw pids /sys/fs/cgroup/cgroup.controllers 2>/dev/null; then
	root=/sys/fs/cgroup
	echo +pids 2>/dev/null >$root/cgroup.subtree_control
fi
CGROUP=$root/kmemtape-test-pids-$$
mkdir "$CGROUP" 2>/dev/null || skip "can not make a cgroup of the pids controller"
clean_up_more() { remove_cgroup; }
[ -w "$CGROUP/pids.max" ] || skip "this cgroup has no limit of processes"
echo 1 >"$CGROUP/pids.max"

state >"$WORK/before"
sh -c 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"' sh "$CGROUP" \
	timeout 60 true 2>/dev/null && skip "the limit does not hold"
sh -c 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"' sh "$CGROUP" \
	env ASAN_OPTIONS=detect_leaks=0 "$KMEMTAPE" record -q -o "$WORK/a.tape" -d 10s 2>"$WORK/log"
status=$?
[ $status = 1 ] || fail "exit status $status: $(cat "$WORK/log")"
tail -n 1 "$WORK/log" | grep -q "can.t start a thread" || fail "not said: $(cat "$WORK/log")"
[ ! -e "$WORK/a.tape" ] || fail "a tape without anything in it is left"
state | diff "$WORK/before" - || fail "tracefs differs"
