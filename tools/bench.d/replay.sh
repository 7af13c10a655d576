# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # sourced by tools/bench
#
# What replaying a tape costs, beside zstd -dc of its files.

# replay_once SUBJECT COMMAND...
replay_once()
{
	local subject=$1 begin end cpu

	shift
	begin=${EPOCHREALTIME/./}
	timed "$work/outer" "$@" >"$work/out" 2>"$work/err" || return 1
	end=${EPOCHREALTIME/./}
	sample replay "$subject" wall_s "$(calculate "($end - $begin) / 1000000")"
	cpu=$(cpu_seconds "$work/outer")
	sample replay "$subject" cpu_s "$cpu"
	[ "$(calculate "$cpu > 0")" = 0 ] ||
		sample replay "$subject" events_a_cpu_second "$(calculate "$events / $cpu")"
	sample replay "$subject" peak_kib "$(peak_kib "$work/outer")"
	sample replay "$subject" events_a_second "$(calculate "$events * 1000000 / ($end - $begin)")"
}

# The CPUs that we may use, one a line.
usable_cpus()
{
	awk '$1 == "Cpus_allowed_list:" {
		n = split($2, part, ",")
		for (i = 1; i <= n; i++) {
			m = split(part[i], range, "-")
			for (cpu = range[1]; cpu <= range[m]; cpu++) print cpu
		}
	}' /proc/self/status
}

# The last one: the first ones serve most interrupts.
last_cpu()
{
	usable_cpus | tail -n 1
}

replay_all()
{
	local pin pin_two round replays=$((rounds < 3 ? 3 : rounds)) cores
	local replay=("$KMEMTAPE" replay --format json)
	local cpu_files=("$tape"/cpu/*.zst)

	cores=$(usable_cpus | wc -l)
	pin=(taskset -c "$(last_cpu)")
	pin_two=(taskset -c "$(usable_cpus | tail -n 2 | paste -sd ,)")
	"${replay[@]}" "$tape" >"$work/result.json" 2>"$work/err" ||
		die "kmemtape replay failed: $(last_words "$work/err")"
	events=$(jq .events.total "$work/result.json")
	peak_live=$(jq '.matching.peak_live // empty' "$work/result.json")
	[ "$events" -gt 0 ] || die "there are no events on this tape"
	zstd -dc "${cpu_files[@]}" >/dev/null || die "zstd can't read the tape"
	pack_small
	for ((round = 0; round < replays; round++)); do
		say "replay, round $((round + 1)) of $replays"
		replay_once zstd "${pin[@]}" zstd -dc "${cpu_files[@]}"
		replay_once one_core "${pin[@]}" "${replay[@]}" --threads 0 "$tape"
		[ "$cores" -lt 2 ] || replay_once two_cores "${pin_two[@]}" "${replay[@]}" "$tape"
		[ "$cores" -le 2 ] || replay_once all_cores "${replay[@]}" "$tape"
		[ -z "$small" ] || replay_once small_one_core "${pin[@]}" "${replay[@]}" --threads 0 "$small"
	done >/dev/null
}
