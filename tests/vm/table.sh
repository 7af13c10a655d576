#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Makes the README's table of what this suite's tests left in $VM_RESULTS, there as table.md, and prints it: a row for
# each scenario, a column for each kernel. What has no result was not run.
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

# Usage: verdict KERNEL SCENARIO; prints exact, part (some of it), gap, FAIL, or nothing.
verdict() {
	local result=$VM_RESULTS/$1/$2/result
	[ -s "$result" ] || return 0
	awk '{ nr[$1]++ }
		END { print nr["fail"] ? "**fail**" : nr["gap"] && nr["pass"] ? "part" : nr["gap"] ? "gap" : "exact" }' "$result"
}

# Usage: event_set SCENARIO: what has to be recorded to see it.
event_set() {
	local kinds
	kinds=$(sed -n 's/.* kind=\([a-z]*\).*/\1/p' "$VM_RESULTS"/*/"$1"/truth | sort -u | xargs)
	case "$kinds" in
	*vmalloc*) echo "vmalloc" ;;
	*percpu*) echo "percpu" ;;
	*pages*) echo "page" ;;
	*untraced*) echo "slab, rcu" ;;
	?*) echo "slab" ;;
	esac
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
	# A scenario and its healthy twin share a row.
	for scenario in "$here"/scenarios/*.sh; do
		name=$(basename "$scenario" .sh)
		case "$name" in *-healthy) continue ;; esac
		row="| $name | $(event_set "$name") |"
		for kernel in "${kernels[@]}"; do
			row="$row $(verdict "$kernel" "$name")"
			[ ! -s "$VM_RESULTS/$kernel/$name-healthy/result" ] || row="$row / $(verdict "$kernel" "$name-healthy")"
			row="$row |"
		done
		echo "$row"
	done
}

table | tee "$VM_RESULTS/table.md"
