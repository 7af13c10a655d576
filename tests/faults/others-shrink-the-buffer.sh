#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: Somebody makes our ring buffers small.
# Promise: Told once, and left so; what does not fit is counted and shown as lost. Exit 0.
. "$(dirname "$0")/lib.sh"

disturb "echo 128 >buffer_size_kb"
expect_disturbed buffer_size_kb
