#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: Somebody adds a trigger that stops tracing.
# Promise: Told once, and left so; the tape has the time as a loss of unknown size, and nobody is accused. Exit 0.
. "$(dirname "$0")/lib.sh"

disturb "echo traceoff:1 >events/kmem/kmem_cache_free/trigger"
expect_disturbed tracing_on
