#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: The recorder is killed while it makes its tracefs instance.
# Promise: The janitor removes the instance at once: the next run finds nothing. tracefs as before.
. "$(dirname "$0")/lib.sh"

state >"$WORK/before"
for nr in 1 2 3 4 5; do
	"$KMEMTAPE" record -q -o "$WORK/$nr.tape" -d 10s 2>"$WORK/log" &
	RECORDER=$!
	# As soon as it is there: to fill it takes longer than to see it
	while [ ! -e "$TRACEFS/instances/kmemtape-$RECORDER" ] && [ -e /proc/$RECORDER/exe ]; do :; done
	killed=$RECORDER
	end_recorder KILL
	[ $STATUS = 137 ] || fail "exit status $STATUS: $(cat "$WORK/log")"
	expect_clean "$killed" "$WORK/before" "after the janitor"
done
