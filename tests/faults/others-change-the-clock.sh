#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: Somebody changes the clock of our events.
# Promise: Told; ends in order with exit 1, and all before it replays, with the loss. No time of another clock is on the tape.
. "$(dirname "$0")/lib.sh"

disturb "echo counter >trace_clock"
expect_ended "somebody else changed"
"$HELPERS/script/tapedump" "$WORK/a.tape" >"$WORK/dump" || fail "tapedump: exit status $?"
start=$(jq .time.start_ns "$WORK/a.tape/manifest.json")
awk -v start="$start" '/^[0-9]+ [0-9]+ / && $1 < start - 1e9 { print; exit 1 }' "$WORK/dump" ||
	fail "an event has a time of another clock"
