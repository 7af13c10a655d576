#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: The recorder and its janitor are killed.
# Promise: The tape replays, as incomplete. Events stay on until the next record, which says that it removed them.
. "$(dirname "$0")/lib.sh"

state >"$WORK/before"
start_recorder -q -o "$WORK/a.tape"
killed=$RECORDER
kill -KILL "$(janitor)"
end_recorder KILL
is_recording "$killed" || fail "nothing was left: nothing to test"
"$KMEMTAPE" record -q -o "$WORK/next.tape" -d 100ms --settle 0 2>"$WORK/log" || fail "next run: exit status $?"
expect_line "$WORK/log" "removed tracefs instance kmemtape-$killed of an earlier run"
expect_clean "$killed" "$WORK/before" "after the next run"
expect_incomplete "$WORK/a.tape"
