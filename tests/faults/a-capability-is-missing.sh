#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: Root has not all capabilities, as in a container or a hardened service; each is taken away in turn.
# Promise: Without cap_dac_override (for another user): exit 1, one line, no tape. Else recorded; what lacks is told.
. "$(dirname "$0")/lib.sh"

command -v setpriv >/dev/null || skip "needs setpriv"
export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 # of a process whose user has changed, none are found
chmod 755 "$WORK"
install -d -o 65534 "$WORK/nobody"
tape=$WORK/nobody/a.tape

# without CAPABILITY ARG...: as nobody, called by a root that doesn't have it
without()
{
	lacking=$1
	shift
	rm -rf "$tape"
	timeout 60 prlimit --memlock=65536 env SUDO_UID=65534 SUDO_GID=65533 setpriv --bounding-set "-$lacking" \
		"$KMEMTAPE" record -q -o "$tape" --settle 0 "$@" 2>"$WORK/log"
	STATUS=$?
}

# told TEXT: recorded, and this is said
told()
{
	[ $STATUS = 0 ] || fail "$lacking: exit status $STATUS: $(cat "$WORK/log")"
	is_closed "$tape" || fail "$lacking: the tape isn't closed"
	grep -qF -- "$1" "$WORK/log" || fail "$lacking: it says nothing: $(cat "$WORK/log")"
}

tracefs_state >"$WORK/before"
without dac_override -d 100ms
[ $STATUS = 1 ] || fail "dac_override: exit status $STATUS"
expect_line "$WORK/log" "permission denied"
[ ! -e "$tape" ] || fail "dac_override: left a tape"

without sys_nice -d 100ms
told "SCHED_FIFO is not permitted"

if ! grep -q __asan_init "$KMEMTAPE"; then # which makes mlockall() do nothing
	without ipc_lock,-sys_resource -d 100ms
	told "memory can't be locked"
fi

if [ "$(cat /proc/sys/kernel/kptr_restrict)" != 0 ] || [ "$(cat /proc/sys/kernel/perf_event_paranoid)" -gt 1 ]; then
	without syslog -d 100ms
	told "It takes cap_syslog to see them"
fi

# Root's command doesn't end by the word of a user.
without kill -d 100ms -- sleep 1002
told "didn't end on SIGTERM, and goes on"
kill "$(grep -oP '\(pid \K[0-9]+' "$WORK/log")" || fail "kill: who is the command?"

without setuid -d 100ms
[ $STATUS = 1 ] || fail "setuid: exit status $STATUS"
expect_line "$WORK/log" "can't become user nobody"
[ ! -e "$tape" ] || fail "setuid: left a tape"
tracefs_state | diff "$WORK/before" - || fail "tracefs differs"
