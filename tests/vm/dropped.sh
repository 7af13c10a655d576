#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What the verdict makes of a tape of the VM lab when pages of it are missing: tests/vm/dropped.sh SCENARIO DIR
# DIR as check.sh has it; programs: $KMEMTAPE, $TAPEDROP. Of the sub-buffers, made small, 1, 10 and 50 % are missing, each
# time others. A verdict may become unsure, and never wrong: nothing is likely that isn't so. Adds to DIR/result as
# check.sh does, and exits as it does.
set -euo pipefail

[ $# -eq 2 ] || {
	sed -n '3,7s/^# *//p' "$0" >&2
	exit 2
}
scenario=$1
dir=$2
: "${KMEMTAPE:?is the program to test}" "${TAPEDROP:?takes the pages}"
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/verdict.sh"

SEEDS=${KMEMTAPE_VM_SEEDS:-2} # for each percentage
SUBBUF=4096		      # those of newer kernels hold all of a short tape
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Usage: look PERCENT SEED: judges a tape with so much missing; prints what is wrong with the verdict, or its leak.
look() {
	local options=(--percent "$1" --seed "$2" --subbuf "$SUBBUF")
	# Newer kernels say how much is missing, if there is room.
	[ $(($2 % 2)) = 0 ] || options+=(--stored)
	rm -rf "$work/tape"
	"$TAPEDROP" "${options[@]}" "$dir/tape" "$work/tape" >"$work/said" 2>&1 || {
		echo "fail: $(tail -n 1 "$work/said")"
		return
	}
	judge_json "$work/tape" "$work/json" 2>"$work/said" || {
		echo "fail: replay: $(tail -n 1 "$work/said")"
		return
	}
	case "$leak" in
	likely) accuses_truth "$headline" || {
		echo "fail: $headline"
		return
	} ;;
	possible) ;;
	none) ! $is_leaking || [[ $headline != "NO LEAK:"* ]] || {
		echo "silent"
		return
	} ;;
	*) echo "fail: the verdict is $leak" && return ;;
	esac
	echo "$leak"
}

is_leaking=false
[ -z "$(leaks "$RECORDED")" ] || is_leaking=true
failed=false
counts=
for percent in 1 10 50; do
	likely=0 possible=0 none=0 silent=0
	for ((seed = 1; seed <= SEEDS; seed++)); do
		# Other pages in each scenario.
		number=$(($(cksum <<<"$scenario $percent" | cut -d ' ' -f 1) % 1000 * 100 + seed))
		answer=$(look $percent $number)
		case "$answer" in
		fail:*)
			failed=true
			echo "fail $scenario $percent % of the pages missing, seed $number: ${answer#fail: }" | tee -a "$dir/result"
			;;
		*) declare "$answer"=$((${!answer} + 1)) ;;
		esac
	done
	counts="$counts; $percent %: $likely likely, $possible possible, $((none + silent)) none"
	# Not wrong, as nothing is claimed that isn't so, but it should be said that a tape with holes tells little.
	[ $silent = 0 ] || counts="$counts ($silent without a doubt)"
done
! $failed || exit 1
echo "pass $scenario pages missing${counts#;}" | sed 's/missing 1/missing: 1/' | tee -a "$dir/result"
