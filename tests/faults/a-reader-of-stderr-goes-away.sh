#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: Who reads its stderr goes away (SIGPIPE), and it has something to say.
# Promise: The recording goes on, ends in order, closed, with exit 0 and tracefs as before.
. "$(dirname "$0")/lib.sh"

state >"$WORK/before"
mkfifo "$WORK/pipe"
cat "$WORK/pipe" >/dev/null &
reader=$!
"$KMEMTAPE" record -o "$WORK/a.tape" --settle 0 2>"$WORK/pipe" &
RECORDER=$!
recorder=$RECORDER
until_true 20 is_recording $RECORDER || fail "it does not start"
kill -KILL $reader
wait $reader
echo 0 >"$TRACEFS/instances/kmemtape-$RECORDER/tracing_on" # to be told
until_true 20 grep -q '"disturbances"' "$WORK/a.tape/manifest.json" || fail "it noticed nothing"
is_recording $RECORDER || fail "it does not go on"
end_recorder INT
[ $STATUS = 0 ] || fail "exit status $STATUS"
expect_clean "$recorder" "$WORK/before" "after the recording"
expect_closed "$WORK/a.tape"
