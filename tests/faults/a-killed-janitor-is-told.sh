#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: The janitor, who would clean up, is killed; or is sent what a terminal or systemd sends to all.
# Promise: Told; the recording goes on, ends in order with exit 0 and tracefs as before. Other signals don't end it.
. "$(dirname "$0")/lib.sh"

state >"$WORK/before"
start_recorder -q -o "$WORK/a.tape" --settle 0
janitor=$(janitor) || fail "there is no janitor"
for file in /proc/"$janitor"/fd/*; do
	target=$(readlink "$file")
	case $target in
	/dev/null | pipe:* | "$TRACEFS") ;;
	*) fail "the janitor holds $target" ;;
	esac
done
[ "$(readlink "/proc/$janitor/cwd")" = / ] || fail "the janitor holds the directory that it was started in"
grep -q "\b$janitor\b" "$WORK/a.tape/manifest.json" || fail "its pid isn't noted"

for signal in INT TERM HUP QUIT TSTP PIPE; do
	kill -$signal "$janitor"
done
[ "$(janitor)" = "$janitor" ] || fail "a signal ended it"
kill -KILL "$janitor"
until_true 20 grep -q 'the janitor was killed' "$WORK/log" || fail "not told: $(cat "$WORK/log")"
is_recording "$RECORDER" || fail "the recording doesn't go on"
recorder=$RECORDER
end_recorder INT
[ $STATUS = 0 ] || fail "exit status $STATUS: $(cat "$WORK/log")"
expect_line "$WORK/log" "the janitor was killed"
expect_clean "$recorder" "$WORK/before" "after the recording"
expect_closed "$WORK/a.tape"
