#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: It may lock too little memory (ulimit -l), with and without the privilege to lock more.
# Promise: With it, nothing changes; without, one line says that it may stall. Recorded all the same. Exit 0.
. "$(dirname "$0")/lib.sh"

grep -q __asan_init "$KMEMTAPE" && skip "the address sanitizer makes mlockall() do nothing"
command -v capsh >/dev/null || skip "needs capsh"
state >"$WORK/before"

# record_locked NAME CAPABILITIES-TO-DROP: sets $status; its stderr is $WORK/log
record_locked()
{
	(
		ulimit -l 64
		# shellcheck disable=SC2016 # capsh's shell
		exec capsh ${2:+--drop="$2"} -- -c 'exec timeout 60 "$@"' sh "$KMEMTAPE" record -q -o "$WORK/$1.tape" \
			-d 500ms --settle 0
	) 2>"$WORK/log"
	status=$?
	[ $status = 0 ] || fail "$1: exit status $status: $(cat "$WORK/log")"
	expect_closed "$WORK/$1.tape"
	state | diff "$WORK/before" - || fail "$1: tracefs differs"
}

record_locked able ""
[ ! -s "$WORK/log" ] || fail "something is said: $(cat "$WORK/log")"
record_locked unable cap_ipc_lock,cap_sys_resource
grep -q "memory can't be locked" "$WORK/log" || fail "not told: $(cat "$WORK/log")"
