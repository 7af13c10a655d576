#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: Somebody sets a filter on an event of ours.
# Promise: Told once, and left so; the tape has the time as a loss of unknown size, and nobody is accused. Exit 0.
. "$(dirname "$0")/lib.sh"

disturb "echo bytes_alloc==77 >events/kmem/kmalloc/filter"
expect_disturbed events/kmem/kmalloc/filter
"$KMEMTAPE" replay "$WORK/a.tape" >"$WORK/report" || fail "replay: exit status $?"
grep -q '^next: record again, while nobody else' "$WORK/report" || fail "other advice: $(grep ^next: "$WORK/report")"
