#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: Somebody reads our buffer, and takes events away.
# Promise: Told once, and left so; the tape has the time as a loss of unknown size, and nobody is accused. Exit 0.
. "$(dirname "$0")/lib.sh"

disturb "timeout 20 head -n 1 trace_pipe >/dev/null"
expect_disturbed trace_pipe
