#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Known truth: a program holds N pipes, timerfds and eventfds across the end of a recording: exactly N of its objects
# are live at each of their call sites. Closed before the end: none.
. "$(dirname "$0")/lib.sh"

N=137

# record_hold TAPE SAID ARG...: hold runs within the recording until it has said that, and (unless --close-after) beyond its end
record_hold()
{
	tape=$1 until=$2
	shift 2
	rm -f "$WORK/stdin"
	mkfifo "$WORK/stdin"
	: >"$WORK/said"
	exec 9<>"$WORK/stdin"
	"$KMEMTAPE" record -q --settle 1s -o "$tape" -- "$BASH" -c '
		stdin=$1 said=$2 until=$3
		shift 3
		"$@" <"$stdin" >"$said" 9>&- &
		echo $! >"$said.pid"
		for _ in {1..600}; do
			! grep -q "$until" "$said" || exec sleep 0.3
			sleep 0.1
		done
		exit 1' sh "$WORK/stdin" "$WORK/said" "$until" "$HELPERS/hold" "$@" ||
		fail "exit status $?"
	exec 9>&-
	dump "$tape"
	"$KMEMTAPE" replay --format json "$tape" >"$WORK/json" || fail "replay"
	jq -e .tape.complete "$WORK/json" >/dev/null || fail "cut"
	jq -e '.events.lost == 0' "$WORK/json" >/dev/null || skip "events were lost: $(jq -c .events "$WORK/json")"
}

# check FUNCTION SITES LIVE: at SITES call sites of FUNCTION, hold allocated N objects, of which LIVE are live. What other
# tasks of this machine have live there is counted from the tape's text form, so that the sum must be exact.
check()
{
	jq -r --arg f "$1" '.sites[] | select(.function != null and (.function | test($f))) |
		"\(.symbol) \(.live_objects)"' "$WORK/json" >"$WORK/sites"
	awk -v pid="pid=$(cat "$WORK/said.pid")" '
		$3 ~ /^k(malloc|mem_cache_alloc)/ {
			for (i = 4; i <= NF; i++)
				if ($i ~ /^call_site=/) site = substr($i, 11)
				else if ($i ~ /^ptr=/) ptr = $i
				else if ($i ~ /^pid=/) task = $i
			if (task == pid) all[site]++
			at[ptr] = site
			by[ptr] = task
		}
		$3 ~ /^k(free|mem_cache_free)/ {
			for (i = 4; i <= NF; i++)
				if ($i ~ /^ptr=/) delete at[$i]
		}
		END {
			for (ptr in at) if (by[ptr] == pid) own[at[ptr]]++; else others[at[ptr]]++
			for (site in all) print site, all[site], own[site] + 0, others[site] + 0
		}' "$WORK/dump" >"$WORK/tasks"
	found=0
	while read -r symbol live; do
		read -r allocs own others < <(awk -v site="$symbol" '$1 == site { print $2, $3, $4 }' "$WORK/tasks")
		[ "${allocs:-0}" = $N ] || continue # something that happens now and then
		found=$((found + 1))
		[ "$own" = "$3" ] || fail "$symbol: $own objects of hold are live, expected $3"
		[ "$live" = $((own + others)) ] || fail "$symbol: replay has $live live, hold $own, others $others"
	done <"$WORK/sites"
	[ $found = "$2" ] || fail "$1: $found call sites with $N allocations of hold, expected $2: $(cat "$WORK/sites")"
}

record_hold "$WORK/held.tape" ready --pipes $N --timerfds $N --eventfds $N
grep -q '"symbols": *"good"' "$WORK/held.tape/manifest.json" || skip "this kernel hides its symbols"
check '^alloc_pipe_info$' 2 $N # each pipe is two objects: itself, and its array of buffers
check '^do_eventfd$' 1 $N
check 'timerfd_create$' 1 $N
"$KMEMTAPE" replay --format json --by comm "$WORK/held.tape" >"$WORK/comms"
jq -e '.comms[] | select(.comm == "hold") | .live_objects >= 4 * '$N "$WORK/comms" >/dev/null ||
	fail "--by comm: $(jq -c .comms "$WORK/comms")"

record_hold "$WORK/closed.tape" closed --pipes $N --timerfds $N --eventfds $N --close-after 10
check '^alloc_pipe_info$' 2 0
check '^do_eventfd$' 1 0
# Not so timerfds: they go through kfree_rcu(), whose frees emit no event on kernels with sheaves (Linux 6.18).
exit 0
