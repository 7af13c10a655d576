#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: A CPU goes offline and comes back; one that was offline at the start comes.
# Promise: Told; events of both are on the tape, which is closed. Exit 0.
. "$(dirname "$0")/lib.sh"

online=/sys/devices/system/cpu/cpu1/online
[ -w $online ] && [ "$(cat $online)" = 1 ] || skip "cpu1 can't be switched off here"
clean_up_more() { echo 1 >$online; }
echo 0 2>/dev/null >$online || skip "cpu1 can't be switched off here"
echo 1 >$online

start_recorder -o "$WORK/goes.tape" --settle 0
echo 0 >$online
until_true 20 grep -q 'cpu 1 went offline' "$WORK/log" || fail "not noticed: $(cat "$WORK/log")"
echo 1 >$online
until_true 20 grep -q 'cpu 1 is back online' "$WORK/log" || fail "not noticed: $(cat "$WORK/log")"
taskset -c 1 ls -R /sys/devices >/dev/null
is_pinned() { grep -q '^Cpus_allowed_list:[[:space:]]*1$' /proc/"$RECORDER"/task/*/status; }
until_true 20 is_pinned || fail "nothing is pinned to cpu 1 again"
end_recorder INT
[ $STATUS = 0 ] || fail "goes and comes: exit status $STATUS: $(cat "$WORK/log")"
is_closed "$WORK/goes.tape" || fail "goes and comes: not closed"

echo 0 >$online
start_recorder -o "$WORK/comes.tape" --settle 0
[ ! -e "$WORK/comes.tape/cpu/0001.zst" ] || fail "cpu 1 is offline and has a file"
echo 1 >$online
until_true 20 grep -q 'cpu 1 came online' "$WORK/log" || fail "not noticed: $(cat "$WORK/log")"
taskset -c 1 ls -R /sys/devices >/dev/null
end_recorder INT
[ $STATUS = 0 ] || fail "comes later: exit status $STATUS: $(cat "$WORK/log")"
is_closed "$WORK/comes.tape" || fail "comes later: not closed"
[ "$(zstd -dc "$WORK/comes.tape/cpu/0001.zst" | wc -c)" -gt 0 ] || fail "nothing of cpu 1 was read"
tr -d ' \n' <"$WORK/comes.tape/manifest.json" | grep -q '"cpus":\[0,1\]' ||
	fail "the manifest doesn't know cpu 1: $(cat "$WORK/comes.tape/manifest.json")"
