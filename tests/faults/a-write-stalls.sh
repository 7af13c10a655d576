#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: A write to one CPU's file takes four seconds.
# Promise: What its ring buffer can't hold meanwhile is lost, and told as lost; the other CPUs go on. Exit 0, a closed tape.
. "$(dirname "$0")/disk.sh"

start_on_disk --buffer 256K
disk "fault on=write ms=180000 times=1 files=a.tape/cpu/0000.zst" # or until it has been seen what comes of it
until_true 20 disk_hits 1 || fail "nothing was written"
size=$(stat -c %s "$BACKING/a.tape/cpu/0001.zst")
stalled=$(stat -c %s "$BACKING/a.tape/cpu/0000.zst")
grown() { [ "$(stat -c %s "$BACKING/a.tape/cpu/0001.zst")" -gt "$size" ]; }
until_true 60 grown || fail "CPU 1 doesn't go on"
[ "$(stat -c %s "$BACKING/a.tape/cpu/0000.zst")" = "$stalled" ] || fail "the write didn't stall"
has_lost() { grep -E '^overrun: [1-9]' "$TRACEFS/instances/kmemtape-$RECORDER/per_cpu/cpu0/stats"; }
until_true 60 has_lost || fail "the ring buffer of CPU 0 has room for all of it: nothing to test"
disk clear
goes_on() { [ "$(stat -c %s "$BACKING/a.tape/cpu/0000.zst")" -gt "$stalled" ]; }
until_true 20 goes_on || fail "CPU 0 doesn't go on"
end_recorder INT
[ $STATUS = 0 ] || fail "exit status $STATUS: $(cat "$WORK/log")"
is_closed "$TAPE" || fail "not closed"
has_events_on "$TAPE"
[ "$(jq '.cpu_stats[] | select(.cpu == 0) | .overrun' "$TAPE/manifest.json")" -gt 0 ] || fail "the test lost nothing"
[ "$(jq .events.lost "$WORK/json")" -gt 0 ] || fail "replay knows of no loss"
