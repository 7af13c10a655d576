#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: Somebody clears the buffer, which also sets its counters back.
# Promise: Told once, and left so; the tape has the time as a loss of unknown size, and nobody is accused. Exit 0.
. "$(dirname "$0")/lib.sh"

disturb "echo >trace"
expect_disturbed trace
jq -e "[.cpu_stats[] | .read, .overrun] | all(. < 1000000000)" "$WORK/a.tape/manifest.json" >/dev/null ||
	fail "counters went below zero: $(jq -c .cpu_stats "$WORK/a.tape/manifest.json")"
