#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: The disk is full when footers and manifest are to be written.
# Promise: Exit 1, one line; all that was written before can be read, as a tape that was not closed. The next run works.
. "$(dirname "$0")/disk.sh"

start_on_disk --reserve 0
wait_for_a_chunk
disk "fault on=write,create,mkdir error=ENOSPC"
kill -INT "$RECORDER"
expect_end 1 "No space left on device"
expect_cut "$TAPE"
disk clear
"$KMEMTAPE" record -q -o "$DISK/next.tape" -d 100ms --settle 0 || fail "next: exit status $?"
