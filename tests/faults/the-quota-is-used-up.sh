#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: The user's quota is used up while recording (EDQUOT).
# Promise: As when the disk is full: exit 1, one line, a tape that is whole up to then and says why it ended.
. "$(dirname "$0")/disk.sh"

start_on_disk --reserve 0
room_for 300000 EDQUOT
expect_end 1 "Disk quota exceeded"
expect_whole "$TAPE" "the recording ended by itself after"
