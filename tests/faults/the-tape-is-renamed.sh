#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: Somebody renames the tape's directory while recording.
# Promise: Recording goes on into it, wherever it is: exit 0, a whole tape.
. "$(dirname "$0")/disk.sh"

start_on_disk
mv "$TAPE" "$DISK/other.tape"
sleep 0.5
end_recorder INT
[ $STATUS = 0 ] || fail "exit status $STATUS: $(cat "$WORK/log")"
[ ! -e "$TAPE" ] || fail "there is something where the tape was"
"$KMEMTAPE" verify "$DISK/other.tape" >"$WORK/verify" || fail "verify: $(cat "$WORK/verify")"
has_events_on "$DISK/other.tape"
