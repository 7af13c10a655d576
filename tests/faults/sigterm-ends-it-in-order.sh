#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: SIGTERM, SIGHUP or SIGQUIT; also when the terminal goes away.
# Promise: Ends in order: exit 0, the tape is closed and replays, tracefs as before.
. "$(dirname "$0")/lib.sh"

end_by()
{
	state >"$WORK/before"
	start_recorder -q -o "$WORK/$1.tape" --settle 0
	recorder=$RECORDER
	end_recorder "$1"
	[ $STATUS = 0 ] && [ ! -s "$WORK/log" ] || fail "SIG$1: exit status $STATUS: $(cat "$WORK/log")"
	expect_clean "$recorder" "$WORK/before" "after SIG$1"
	expect_closed "$WORK/$1.tape"
}

for signal in TERM HUP QUIT; do
	end_by $signal
done

# A session of its own on a terminal of its own, which is closed.
command -v script >/dev/null || exit 0
cat >"$WORK/session" <<EOT
echo \$\$ >"$WORK/pid"
exec env --default-signal=HUP "$KMEMTAPE" record -o "$WORK/terminal.tape" --settle 0
EOT
TERM=vt100 script -qec "bash $WORK/session" /dev/null >/dev/null 2>&1 </dev/null &
terminal=$!
until_true 20 test -s "$WORK/pid" || fail "no session"
RECORDER=$(cat "$WORK/pid")
until_true 20 is_recording "$RECORDER" || fail "it does not start on a terminal"
kill -KILL $terminal
wait $terminal
until_true 20 is_closed "$WORK/terminal.tape" || fail "the tape is not closed after the terminal went away"
expect_clean "$RECORDER" "$WORK/before" "after the terminal went away"
RECORDER=
expect_closed "$WORK/terminal.tape"
