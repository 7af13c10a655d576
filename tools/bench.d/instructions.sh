# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # sourced by tools/bench
#
# Instructions an event of a replay: repeatable where times are not. Counted for the whole program, less
# the same for a tape with next to nothing on it if there is one.

instructions_by_perf()
{
	perf stat -x ';' -e instructions:u -o "$work/stat" "$KMEMTAPE" replay --threads 0 --format json "$1" \
		>"$work/count.json" 2>/dev/null
	awk -F ';' '$3 ~ /^instructions/ && $1 ~ /^[0-9]+$/ { print $1 }' "$work/stat"
}

instructions_by_valgrind()
{
	valgrind --tool=callgrind --callgrind-out-file=/dev/null "$KMEMTAPE" replay --threads 0 \
		--format json "$1" 2>"$work/stat" >"$work/count.json"
	awk '/Collected : [0-9]+$/ { print $NF }' "$work/stat"
}

# count_instructions HOW TAPE
count_instructions()
{
	local count base base_events=0

	count=$("instructions_by_$1" "$2")
	[ -n "$count" ] || return 1
	counted_events=$(jq .events.total "$work/count.json")
	base=0
	if [ -d "$work/base.tape" ]; then
		base=$("instructions_by_$1" "$work/base.tape")
		base_events=$(jq .events.total "$work/count.json")
	fi
	[ "$counted_events" -gt "$base_events" ] || return 1
	sample replay one_core instructions_an_event \
		"$(calculate "($count - ${base:-0}) / ($counted_events - $base_events)")"
	note "instructions an event: by $1, of $counted_events events${base_events:+, less those of $base_events}"
}

count_all()
{
	local short=$tape

	if command -v perf >/dev/null && [ -n "$(instructions_by_perf "$tape")" ]; then
		count_instructions perf "$tape"
		return
	fi
	if ! $is_full || ! command -v valgrind >/dev/null; then
		note "instructions an event: perf can't count them on this machine; --full has valgrind count"
		return
	fi
	say "counting instructions with valgrind"
	if [ -d "$work/base.tape" ]; then
		short=$work/short.tape
		"$KMEMTAPE" record -q --settle 100ms -o "$short" -- hackbench -g 4 -l 100 >/dev/null 2>&1 || return
	fi
	count_instructions valgrind "$short"
}
