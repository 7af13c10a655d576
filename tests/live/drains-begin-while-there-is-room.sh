#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Half of a large buffer may fill before it is read, and a quarter of one whose half would not last until somebody reads.
. "$(dirname "$0")/lib.sh"

for setting in "8M 50" "4M 25"; do
	read -r buffer percent <<<"$setting"
	start_recorder -q -o "$WORK/$buffer.tape" --buffer "$buffer" --settle 0
	there=$(cat "$TRACEFS/instances/kmemtape-$RECORDER/buffer_percent" 2>/dev/null)
	end_recorder INT
	[ $STATUS = 0 ] || fail "$buffer: exit status $STATUS"
	[ -n "$there" ] || skip "this kernel has no buffer_percent"
	[ "$there" = "$percent" ] || fail "--buffer $buffer: read when $there % are full, not $percent %"
done
exit 0
