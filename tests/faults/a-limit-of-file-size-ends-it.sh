#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: A file grows beyond ulimit -f (SIGXFSZ).
# Promise: Ends in order: exit 1, the last line says it; all before it replays, tracefs as before.
. "$(dirname "$0")/lib.sh"

busy() { while :; do echo | cat; done >/dev/null; }
busy &
load=$!
clean_up_more() { kill $load 2>/dev/null; }
state >"$WORK/before"
(
	ulimit -f 3072 # KiB: more than symbols take
	exec timeout 120 "$KMEMTAPE" record -q -o "$WORK/a.tape" -e slab,page
) 2>"$WORK/log"
status=$?
kill $load
[ $status = 1 ] || fail "exit status $status: $(cat "$WORK/log")"
tail -n 1 "$WORK/log" | grep -q "File too large" || fail "not said: $(cat "$WORK/log")"
state | diff "$WORK/before" - || fail "tracefs differs"
judge "$WORK/a.tape" 500ms
[ "$(jq .events.allocs "$WORK/judged")" -gt 1000 ] || fail "hardly anything was kept"
