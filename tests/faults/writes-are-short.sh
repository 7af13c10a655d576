#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: Writes take only a part of what they are given.
# Promise: The rest is written by further ones: exit 0, a whole tape.
. "$(dirname "$0")/disk.sh"

start_on_disk
disk "fault on=write bytes=1000"
until_true 20 disk_hits 10 || fail "nothing is written"
end_recorder INT
[ $STATUS = 0 ] || fail "exit status $STATUS: $(cat "$WORK/log")"
"$KMEMTAPE" verify "$TAPE" >"$WORK/verify" || fail "verify: $(cat "$WORK/verify")"
has_events_on "$TAPE"
