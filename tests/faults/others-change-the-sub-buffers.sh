#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: Somebody changes the size of sub-buffers.
# Promise: Told; ends in order with exit 1, and all before it replays, with the loss. Only whole sub-buffers are on the tape.
. "$(dirname "$0")/lib.sh"

[ -e "$TRACEFS/buffer_subbuf_size_kb" ] || skip "sub-buffers of this kernel have one size"
for size in 16 128; do
	disturb "echo $size >buffer_subbuf_size_kb"
	expect_ended "\(somebody else changed\|where a sub-buffer has\)"
	rm -r "$WORK/a.tape"
done
