#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: Data doesn't reach the disk (EIO from fdatasync).
# Promise: Exit 1, one line; what was written may be gone, so the tape is never called whole, whatever a later sync says.
. "$(dirname "$0")/disk.sh"

start_on_disk
disk "fault on=fsync error=EIO files=a.tape/cpu/0000.zst times=1"
expect_end 1 "cpu/0000.zst: writing to the disk: Input/output error"
expect_cut "$TAPE"
