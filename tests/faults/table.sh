#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Prints the README's table: a row for each fault, its promise, and what became of it when it was last run, which run.sh
# left in $FAULTS_RESULTS (tests of faults that need a machine of their own: in $VM_RESULTS, for each kernel).
# tests/faults/table.sh [--write]: into the README; as: FAULTS_RESULTS=build-test/faults VM_RESULTS=build-test/vm
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

: "${FAULTS_RESULTS:=$here/../../build-test/faults}"
: "${VM_RESULTS:=$(dirname "$FAULTS_RESULTS")/vm}"
shopt -s nullglob

# header NAME FILE
header()
{
	sed -n "s/^# $1: //p" "$2"
}

# kept_on_kernels SCENARIO: "kept" if its tape was as announced on all kernels where it was run
kept_on_kernels()
{
	local results=("$VM_RESULTS"/*/"$1"/result)

	[ ${#results[@]} -gt 0 ] || return 0
	grep -q '^fail ' "${results[@]}" && echo broken || echo kept
}

# row FILE RESULT
row()
{
	echo "| $(header Fault "$1") | $(header Promise "$1") | ${2:-not run} |"
}

# rows: all of them, in the order of their names
rows()
{
	local script result

	for script in "$here"/*.sh "$here"/../vm/scenarios/*.sh; do
		# Not this one, nor lib.sh: the line has to be there once, and to say something.
		[ "$(grep -c '^# Fault: ' "$script")" = 1 ] || continue
		case $script in
		*/scenarios/*) result=$(kept_on_kernels "$(basename "$script" .sh)") ;;
		*) result=$(cat "$FAULTS_RESULTS/$(basename "$script" .sh)" 2>/dev/null || true) ;;
		esac
		row "$script" "${result/#kept/yes}"
	done
}

# The table in the README is replaced by that in $1.
write_readme()
{
	awk -v table="$1" '
		/^\| fault \| promise \|/ { while ((getline line <table) > 0) print line; is_in = 1 }
		is_in && !/^\|/ { is_in = 0 }
		!is_in' "$readme" >"$1.readme"
	cat "$1.readme" >"$readme"
	rm "$1.readme"
}

readme=$here/../../README.md
table=$(mktemp)
trap 'rm -f "$table"' EXIT
{
	echo '| fault | promise | kept |'
	echo '|---|---|---|'
	rows
} >"$table"
cat "$table"
[ "${1-}" != --write ] || write_readme "$table"

# What the README promises is what is tested, and all of it.
told=$(awk '/^\| fault \| promise \|/ { is_in = 1 } is_in && !/^\|/ { exit } is_in' "$readme")
if ! diff <(cut -d '|' -f 2,3 <<<"$told") <(cut -d '|' -f 2,3 "$table") >&2; then
	echo "the README's table is another one: tests/faults/table.sh --write" >&2
	exit 1
fi
