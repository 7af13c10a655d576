#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: Somebody removes the tape while recording.
# Promise: Noticed within a second: exit 1, one line; nothing is left, and no disk is filled unseen. tracefs as before.
. "$(dirname "$0")/disk.sh"

start_on_disk
# Who makes a file in it meanwhile may be faster.
until_true 20 rm -rf "$TAPE" || fail "it can't be removed"
expect_end 1 "was removed while it was recorded to"
[ ! -e "$TAPE" ] || fail "there is something where the tape was"
