#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: The disk is full in the middle of a chunk (ENOSPC).
# Promise: Exit 1, one line. Room kept back takes what is due: the tape is whole up to then, and says why it ended.
. "$(dirname "$0")/disk.sh"

start_on_disk --reserve 0
room_for 300000 ENOSPC
expect_end 1 "No space left on device"
expect_whole "$TAPE" "the recording ended by itself after"
grep -q "No space left on device" <(tr -s ' \n' ' ' <"$WORK/report") || fail "the report doesn't tell the reason"
