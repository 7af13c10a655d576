#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: Somebody switches tracing off and on again, between two looks at it.
# Promise: Told once, and left so; the tape has the time as a loss of unknown size, and nobody is accused. Exit 0.
. "$(dirname "$0")/lib.sh"

disturb "echo 0 >tracing_on; echo 1 >tracing_on"
expect_disturbed tracing_on
