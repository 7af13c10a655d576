#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# `record -- COMMAND` exits as the command did, and keeps that on the tape.
. "$(dirname "$0")/lib.sh"

# expect STATUS COMMAND...
expect()
{
	expected=$1
	shift
	rm -rf "$WORK/tape"
	"$KMEMTAPE" record -q -o "$WORK/tape" --settle 0 -- "$@"
	status=$?
	[ $status = "$expected" ] || fail "'$*': exit status $status, not $expected"
	grep -q "\"command_status\": *$expected\b" "$WORK/tape/manifest.json" ||
		fail "'$*': not on the tape: $(cat "$WORK/tape/manifest.json")"
}

expect 0 true
expect 1 false
expect 42 sh -c 'exit 42'
expect 143 sh -c 'kill -TERM $$'
expect 137 sh -c 'kill -KILL $$'

# The command has the signals and descriptors that it would have without us.
"$KMEMTAPE" record -q -o "$WORK/clean.tape" --settle 0 -- sh -c '
	grep -E "^Sig(Blk|Ign)" /proc/self/status; ls /proc/self/fd | wc -l' >"$WORK/with"
sh -c 'grep -E "^Sig(Blk|Ign)" /proc/self/status; ls /proc/self/fd | wc -l' >"$WORK/without"
diff "$WORK/without" "$WORK/with" || fail "the command doesn't run as usual"

# The recording ends first: the command is told to end too.
timeout 60 "$KMEMTAPE" record -o "$WORK/first.tape" -d 300ms --settle 0 -- sleep 1000.125 2>"$WORK/said"
status=$?
grep -q ' of memory, of ' "$WORK/said" && awk 'length > 80 { bad = 1 } END { exit bad }' "$WORK/said" ||
	fail "what it cost isn't told, or in lines that a terminal breaks: $(cat "$WORK/said")"
[ $status = 0 ] || fail "-d before the command's end: exit status $status"
has_ended() { ! pgrep -f '^sleep 1000[.]125$'; }
until_true 20 has_ended || fail "the command goes on"

# Ctrl-C reaches both.
# (a script's background jobs have SIGINT ignored)
setsid env --default-signal=INT "$KMEMTAPE" record -q -o "$WORK/both.tape" --settle 0 -- \
	sh -c 'trap "exit 7" INT; touch "$0"; while :; do sleep 0.05; done' "$WORK/runs" 2>"$WORK/log" &
both=$!
until_true 20 test -e "$WORK/runs" || fail "the command doesn't run"
kill -INT -$both
wait $both
status=$?
[ $status = 7 ] || fail "Ctrl-C: exit status $status: $(cat "$WORK/log")"

# It can't be run: one line, no tape.
"$KMEMTAPE" record -q -o "$WORK/none.tape" -- /nonexistent/command 2>"$WORK/log"
status=$?
[ $status = 1 ] || fail "no such command: exit status $status"
expect_line "$WORK/log" "/nonexistent/command: can't run it: No such file or directory"
[ ! -e "$WORK/none.tape" ] || fail "no such command: left a tape"
