#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: Somebody switches our free events off.
# Promise: Told once, and left so; the tape has the time as a loss of unknown size, and nobody is accused. Exit 0.
. "$(dirname "$0")/lib.sh"

disturb "echo 0 >events/kmem/kfree/enable"
expect_disturbed events/kmem/kfree/enable
