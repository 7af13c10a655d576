#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# On tapes of real kernels: the lines of a table over time add up to what the report says of the same site, cache, module, task, or
# of all, whatever the width; and the text has the numbers of the JSON.
set -u
failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
	echo "$*"
	failed=1
}

# check TAPE WIDTH EXPECTED OPTION...: EXPECTED is "allocs frees reused live"
check() {
	local tape=$1 width=$2 expected=$3 sums text
	shift 3
	"$KMEMTAPE" replay --threads 0 --format json --interval "$width" "$@" "$tape" >"$work/json" || fail "$tape $*: exit $?"
	sums=$(jq -r '.intervals.lines | [(map(.allocs) | add), (map(.frees) | add), (map(.reused) | add), last.live_objects] | join(" ")' "$work/json")
	[ "$sums" = "$expected" ] || fail "$tape --interval $width $*: '$sums', the report says '$expected'"
	text=$("$KMEMTAPE" replay --threads 0 --interval "$width" "$@" "$tape" |
		awk '!/^#/ { a += $3; f += $4; r += $5; net += $6; live = $7; if (net != live) exit 1 } END { print a, f, r, live }')
	[ "$text" = "$expected" ] || fail "$tape --interval $width $*: '$text' in the text, the report says '$expected'"
}

for tape in "$KMT_TESTS"/frozen/*.tape; do
	for by in site cache module comm pid; do
		"$KMEMTAPE" replay --threads 0 --format json --by $by "$tape" >"$work/all" || fail "$tape: exit $?"
		if [ $by = site ]; then
			expected=$(jq -r '.sites | [(map(.allocs) | add), (map(.frees) | add), (map(.reused) | add), (map(.live_objects) | add)] | join(" ")' "$work/all")
			for width in 77ms 1s 1h; do
				check "$tape" $width "$expected"
			done
		fi
		# Largest first; names that are told apart by more than the name are left out.
		jq -r --arg by $by '.[$by + "s"] | map(select($by != "site" or .function != null)
			| {name: (if $by == "site" then .call_site elif $by == "module" then (.module // "(built in)") elif $by == "pid" then (.pid // "<interrupt>" | tostring) else .[$by] end), row: .})
			| group_by(.name) | map(select(length == 1 and .[0].name)) | flatten | sort_by(-.row.allocs) | .[:2][]
			| [.name, ([.row.allocs, .row.frees, .row.reused, .row.live_objects] | join(" "))] | @tsv' "$work/all" >"$work/rows"
		while IFS=$'\t' read -r name expected; do
			check "$tape" 50ms "$expected" --only "$by=$name"
		done <"$work/rows"
	done
	"$KMEMTAPE" replay --threads 0 --interval 1s "$tape" >"$work/text" || fail "$tape: exit $?"
	wide=$(awk '(!/^#/ || /SECONDS/ || /of objects/) && length > 80' "$work/text")
	[ -z "$wide" ] || fail "$tape: wider than 80 columns: $wide"
done
[ -s "$work/rows" ] || fail "no rows"
exit $failed
