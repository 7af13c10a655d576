#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: There is more to read than --max-cpu allows.
# Promise: It takes no more CPU than that; what can't be read is shown as lost, with what was needed if that can be told; it replays. Exit 0.
. "$(dirname "$0")/lib.sh"

loads=()
busy() { while :; do echo | cat; done >/dev/null; }
for _ in 1 2; do
	busy &
	loads+=($!)
done
clean_up_more() { kill "${loads[@]}" 2>/dev/null; }

# In clock ticks, which are 10 ms.
cpu_ticks() { sed 's/.*) //' "/proc/$RECORDER/stat" | awk '{ print $12 + $13 }'; }
now_ms() { echo $(($(date +%s%N) / 1000000)); }

has_lost() { grep -hE "^overrun: [1-9]" "$TRACEFS/instances/kmemtape-$RECORDER"/per_cpu/cpu*/stats; }

# take ARG...: a recording under load; sets $PERCENT to the CPU it took, and of one with a bound, $IS_MUCH: were events lost?
take()
{
	start_recorder -o "$WORK/a.tape" --settle 0 -e slab,page --buffer 256K "$@"
	cpu=$(cpu_ticks)
	start=$(now_ms)
	sleep 3
	# Where the load gets little of a CPU itself, it may take longer until there is too much of it.
	[ $# = 0 ] || until_true 60 has_lost || IS_MUCH=false
	PERCENT=$((($(cpu_ticks) - cpu) * 1000 / ($(now_ms) - start)))
	end_recorder INT
	[ $STATUS = 0 ] || fail "exit status $STATUS: $(cat "$WORK/log")"
}

take
rm -r "$WORK/a.tape"
free=$PERCENT
bound=$((free / 4))
[ $bound -ge 2 ] || skip "it takes only $free % of a CPU under load here"
IS_MUCH=true
take --max-cpu $bound
# The bound, a tenth of a second's worth to begin with, what one sub-buffer takes once it was begun, and what each second has
# anyway: together less than half of what it would take.
[ "$PERCENT" -le $((bound + bound / 2 + 2)) ] || fail "it took $PERCENT % of a CPU, where $bound were allowed"
$IS_MUCH || skip "$bound % of a CPU are enough for the load here"
grep -q "^LOST .*--max-cpu $bound was too little" "$WORK/log" || fail "not told: $(cat "$WORK/log")"
expect_closed "$WORK/a.tape"
jq -e ".events.lost > 0 and .events.allocs > 0" "$WORK/judged" >/dev/null || fail "the report knows of no loss"
[ "$LEAK" = none ] || fail "somebody is accused: $HEADLINE"
echo "$free % of a CPU without a bound, $PERCENT % with --max-cpu $bound"
