#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: The disk fills up to the reserve while recording; there is less than that from the start.
# Promise: Ends in order before the reserve is touched: exit 0, one line, a whole tape that says why. From the start: exit 1, no tape.
. "$(dirname "$0")/disk.sh"

start_on_disk --reserve 100M
wait_for_a_chunk
# Of 400 MiB 300 are used now, but for what the recorder itself writes then: others are seen once a second only.
head -c $((400 * 1048576 - $(df --output=used -B1 "$BACKING" | tail -1) - 100 * 1048576 - 12000000)) /dev/zero >"$BACKING/others"
expect_end 0 "the disk was nearly full: --reserve keeps 100 MiB free"
[ "$(df --output=avail -B1 "$BACKING" | tail -1)" -ge $((100 * 1048576)) ] ||
	fail "the reserve was touched: $(df "$BACKING")"
expect_whole "$TAPE" "the disk was nearly full"

# How much it left above the reserve is its own affair: less than that is free now.
head -c $(($(df --output=avail -B1 "$BACKING" | tail -1) - 100 * 1048576 + 65536)) /dev/zero >>"$BACKING/others" || fail "can't fill the disk"
[ "$(df --output=avail -B1 "$BACKING" | tail -1)" -lt $((100 * 1048576)) ] || fail "the disk isn't full: $(df "$BACKING")"
"$KMEMTAPE" record -q --reserve 100M -o "$DISK/second.tape" -d 100ms 2>"$WORK/log"
status=$?
[ $status = 1 ] || fail "too full from the start: exit status $status"
expect_line "$WORK/log" "are free on the disk, and --reserve keeps 100 MiB"
[ ! -e "$DISK/second.tape" ] || fail "left a tape without anything in it"
