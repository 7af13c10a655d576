# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # sourced by tools/bench
#
# What stacks and samples cost the workload.

# A quarter of the workload: with all stacks it takes several times as long.
stacks_loops=$(((loops + 3) / 4))
stacks_subjects=(untraced slab stack stack_8 stack_16 stack_64)

# run_stacks SUBJECT [OPTION...]: only what the workload says itself, which is not that of the recorder's start and end
run_stacks()
{
	local subject=$1 run=(hackbench -g 4 -l "$stacks_loops") seconds lost

	shift
	rm -rf "$work/stacks.tape"
	[ "$subject" = untraced ] ||
		run=("$KMEMTAPE" record -q --settle 0s -o "$work/stacks.tape" "$@" -- "${run[@]}")
	"${run[@]}" >"$work/hackbench" 2>"$work/err" || {
		skip "$subject" "$(last_words "$work/err")"
		return
	}
	seconds=$(awk '$1 == "Time:" { print $2 }' "$work/hackbench")
	sample stacks "$subject" workload_s "$seconds"
	[ "$subject" != untraced ] || return 0
	lost=$("$KMEMTAPE" info --format json "$work/stacks.tape" | jq -r '[.cpu_stats[] |
		[.read, .overrun + .dropped + .commit_overrun]] | transpose | map(add) | @tsv')
	sample stacks "$subject" events_kept "${lost%	*}"
	sample stacks "$subject" events_lost "${lost#*	}"
	sample stacks "$subject" tape_bytes "$(bytes_of "$work/stacks.tape")"
}

stacks_all()
{
	local round i subject options

	for ((round = 0; round < rounds; round++)); do
		for ((i = 0; i < ${#stacks_subjects[@]}; i++)); do
			subject=${stacks_subjects[(i + round) % ${#stacks_subjects[@]}]}
			has_skipped "$subject" && continue
			options=(-e slab)
			[[ $subject != stack* ]] || options+=(--stack)
			[[ $subject != stack_* ]] || options+=(--sample "1/${subject#stack_}")
			say "stacks, round $((round + 1)) of $rounds: $subject"
			sync -f "$work"
			run_stacks "$subject" "${options[@]}"
		done
	done
	rm -rf "$work/stacks.tape"
}
