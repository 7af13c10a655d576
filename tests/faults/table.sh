#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Prints the README's table: a row for each fault, its promise, and what became of it when it was last run, which run.sh
# left in $FAULTS_RESULTS (tests of faults that need a machine of their own: in $VM_RESULTS, for each kernel).
# tests/faults/table.sh; as: FAULTS_RESULTS=build-test/faults VM_RESULTS=build-test/vm
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

echo '| fault | promise | kept |'
echo '|---|---|---|'
for script in "$here"/*.sh; do
	[ -n "$(header Fault "$script")" ] || continue
	result=$(cat "$FAULTS_RESULTS/$(basename "$script" .sh)" 2>/dev/null || true)
	row "$script" "${result/#kept/yes}"
done
for script in "$here"/../vm/scenarios/*.sh; do
	[ -n "$(header Fault "$script")" ] || continue
	result=$(kept_on_kernels "$(basename "$script" .sh)")
	row "$script" "${result/#kept/yes}"
done
