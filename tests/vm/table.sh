#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Makes the README's tables of what this suite's tests left in $VM_RESULTS, there as table.md, and prints them: a row for
# each scenario, a column for each kernel; then what became of the verdict when pages were missing. What has no result
# was not run.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/vm/lib.sh
. "$here/../../tools/vm/lib.sh"

mapfile -t kernels < <(vm_kernels | awk '{ print $1 }')
shopt -s nullglob
results=("$VM_RESULTS"/*/*/result)
if [ ${#results[@]} -eq 0 ]; then
	echo "there are no results: the scenarios were not run, or were skipped"
	exit 77
fi

# Usage: numbers KERNEL SCENARIO; prints exact, part (some of it), gap, FAIL, or nothing.
numbers() {
	local result=$VM_RESULTS/$1/$2/result
	[ -s "$result" ] || return 0
	awk '$3 != "verdict" && $3 != "pages" { nr[$1]++ }
		$1 == "fail" { nr["fail"]++ }
		END { print nr["fail"] ? "**fail**" : nr["gap"] && nr["pass"] ? "part" : nr["gap"] ? "gap" : "exact" }' "$result"
}

# Usage: event_set SCENARIO: what was recorded.
event_set() {
	local sets more=
	sets=$(jq -r '.sets // "slab"' "$VM_RESULTS"/*/"$1"/tape/manifest.json 2>/dev/null | sort -u | xargs)
	! grep -q 'kind=untraced' "$VM_RESULTS"/*/"$1"/truth 2>/dev/null || more=', rcu'
	[ -z "$sets" ] || echo "${sets//,/, }$more"
}

# Usage: verdict KERNEL SCENARIO; prints what the first line says: likely, possible, none, or nothing.
verdict() {
	sed -nE 's/^(pass|gap) [^ ]* (expected-gap: )?verdict ([a-z]*): .*/, \3/p' "$VM_RESULTS/$1/$2/result" 2>/dev/null || true
}

# Usage: cell KERNEL SCENARIO; of a scenario and its healthy twin.
cell() {
	local name row=
	for name in "$2" "$2-healthy"; do
		[ -s "$VM_RESULTS/$1/$name/result" ] || continue
		row="$row${row:+ / }$(numbers "$1" "$name")$(verdict "$1" "$name")"
	done
	echo "$row"
}

table() {
	local kernel scenario name row release
	row="| scenario | events |"
	for kernel in "${kernels[@]}"; do
		release=$(cat "$VM_RESULTS/$kernel"/*/release 2>/dev/null | head -n 1 || true)
		row="$row ${release:-$kernel} |"
		row=${row//-cloud-amd64/}
	done
	echo "$row"
	printf '|---|---|'
	printf -- '---|%.0s' "${kernels[@]}"
	echo
	for scenario in "$here"/scenarios/*.sh; do
		name=$(basename "$scenario" .sh)
		case "$name" in *-healthy) continue ;; esac
		row="| $name | $(event_set "$name") |"
		for kernel in "${kernels[@]}"; do
			row="$row $(cell "$kernel" "$name") |"
		done
		echo "$row"
	done
}

# Usage: sum_dropped PERCENT FILE...: "LIKELY likely, POSSIBLE possible, NONE none" over these results.
sum_dropped() {
	local percent=$1
	shift
	[ $# -gt 0 ] || return 0
	sed -nE "s/^pass .*[:;] $percent %: ([0-9]*) likely, ([0-9]*) possible, ([0-9]*) none.*/\1 \2 \3/p" "$@" |
		awk '{ for (i = 1; i <= 3; i++) n[i] += $i } END { printf "%d likely, %d possible, %d none", n[1], n[2], n[3] }'
}

# What leaks, and the tape can show it; the others are all right, or their memory is of another kind.
dropped_table() {
	local result leaking=() healthy=() percent
	for result in "${results[@]}"; do
		if grep -qE '^leak .*kind=(slab|init|untraced|vmalloc|pages|pieces|percpu|helper|pair|area) .*objects=[1-9]' "${result%/result}/truth" 2>/dev/null; then
			leaking+=("$result")
		else
			healthy+=("$result")
		fi
	done
	echo "| pages missing | ${#leaking[@]} tapes with a leak that was recorded | ${#healthy[@]} without |"
	echo '|---|---|---|'
	for percent in 1 10 50; do
		echo "| $percent % | $(sum_dropped $percent "${leaking[@]}") | $(sum_dropped $percent "${healthy[@]}") |"
	done
}

{
	table
	echo
	dropped_table
} | tee "$VM_RESULTS/table.md"
