#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: The file system is remounted read-only (EROFS), as after an error of the disk.
# Promise: Exit 1, one line; what was written before can be read, as a tape that was not closed.
. "$(dirname "$0")/disk.sh"

start_on_disk
wait_for_a_chunk
disk "fault on=all error=EROFS"
expect_end 1 "Read-only file system"
expect_cut "$TAPE"
