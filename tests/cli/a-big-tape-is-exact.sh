#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Of simulated machines (tools/big) everything is known: what is live, how many events there are, and that nothing is amiss. Each
# object is freed on another CPU than it was allocated on, by chance at the very next event: all of them are taken in their order.
set -u
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

fail()
{
	echo "FAIL: $*"
	exit 1
}

# expect LIVE SITES EVENTS_AT_LEAST TAPE
expect()
{
	local replay=("$KMEMTAPE" replay --format json --top 0)

	"$KMEMTAPE" verify -q "$4" || fail "$4: verify: exit status $?"
	"${replay[@]}" --threads 0 "$4" >"$WORK/one.json" || fail "$4: replay: exit status $?"
	"${replay[@]}" --threads 3 "$4" >"$WORK/three.json" || fail "$4: replay: exit status $?"
	cmp "$WORK/one.json" "$WORK/three.json" || fail "$4: with three threads the result is another one"
	jq -e --argjson live "$1" --argjson sites "$2" --argjson events "$3" '
		.tape.complete and .events.total >= $events and .events.lost == 0 and
		.events.allocs - .events.frees == $live and
		(.matching | .live == $live and .peak_live < $live + 32 * 256 + 1 and
			.reused == 0 and .unknown_frees == 0 and .paired + $live > 0) and
		.matching.paired == .events.frees and
		(.sites | length) == $sites and ([.sites[].allocs] | add) == .events.allocs and
		([.sites[].live_objects] | add) == $live and (.sites | all(.function | startswith("work_")))' \
		"$WORK/one.json" >"$WORK/out" || {
		jq -c 'del(.sites), (.sites | length)' "$WORK/one.json"
		fail "$4: not what was asked for"
	}
}

"$BIGTAPE" --events 120K --cpus 256 --live 5K --sites 1K "$WORK/wide.tape" || fail "bigtape: exit status $?"
expect 5120 1000 120000 "$WORK/wide.tape"
"$BIGTAPE" --events 50K --cpus 3 --live 7K --sites 5 "$WORK/narrow.tape" || fail "bigtape: exit status $?"
expect 7002 5 50000 "$WORK/narrow.tape"
"$BIGTAPE" --events 50K --cpus 3 --live 7K --sites 5 "$WORK/again.tape" || fail "bigtape: exit status $?"
diff -r "$WORK/narrow.tape" "$WORK/again.tape" || fail "the same options make another tape"
"$BIGTAPE" --events 20K --cpus 1 --live 0 --sites 1 "$WORK/bare.tape" || fail "bigtape: exit status $?"
expect 0 1 20000 "$WORK/bare.tape"
exit 0
