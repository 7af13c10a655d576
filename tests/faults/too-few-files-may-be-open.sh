#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: It may open too few files (ulimit -n).
# Promise: One line says it, exit 1; no tape is left, tracefs as before.
. "$(dirname "$0")/lib.sh"

state >"$WORK/before"
for limit in 12 24 48; do
	(
		ulimit -n $limit
		exec timeout 60 "$KMEMTAPE" record -q -o "$WORK/a.tape" -d 10s
	) 2>"$WORK/log"
	status=$?
	[ $status = 1 ] || fail "ulimit -n $limit: exit status $status: $(cat "$WORK/log")"
	tail -n 1 "$WORK/log" | grep -q "Too many open files" || fail "not said: $(cat "$WORK/log")"
	[ ! -e "$WORK/a.tape" ] || fail "a tape without anything in it is left"
	state | diff "$WORK/before" - || fail "tracefs differs"
done
