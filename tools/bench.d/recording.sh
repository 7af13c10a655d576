# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # sourced by tools/bench
#
# What recording costs the workload, and the recorder.

find_tracefs()
{
	tracefs=$(awk '$3 == "tracefs" { print $2; exit }' /proc/mounts)
	if [ -z "$tracefs" ]; then
		mount -t tracefs nodev /sys/kernel/tracing 2>/dev/null ||
			die "there is no tracefs: it can't be mounted here"
		tracefs=/sys/kernel/tracing
		tracefs_mounted=yes
	fi
	instances_before=$(ls "$tracefs/instances" 2>/dev/null)
	[ -w "$tracefs/events/kmem/kmalloc/enable" ] || die "this tracefs has no kmem events, or can't be written"
}

# Others who trace, or who need the CPUs, are in all figures.
note_others()
{
	local dir busy load

	for dir in "$tracefs" "$tracefs"/instances/*; do
		[ -r "$dir/events/enable" ] && [ "$(cat "$dir/events/enable")" != 0 ] && busy=${busy:+more than }one
	done
	[ -z "${busy:-}" ] || note "$busy tracing instance had events on already: figures include its cost"
	load=$(cut -d ' ' -f 1 /proc/loadavg)
	[ "$(calculate "$load > 0.5 + 0.1 * $(nproc)")" = 0 ] ||
		note "the machine was busy before we began (load $load): figures include that"
}

# The workload, with its own CPU time in $work/inner and what it prints in $work/hackbench.
set_workload()
{
	workload=(/usr/bin/time -q -o "$work/inner" -f '%U %S %M %e' hackbench -g 4 -l "$loops")
}

# What kmemtape chooses here, told by its own instance while it records: the same for the others.
learn_settings()
{
	local file

	# shellcheck disable=SC2016 # for the inner shell, whose parent is kmemtape
	"$KMEMTAPE" record -q --settle 0s -o "$work/base.tape" -- sh -c '
		cd "$1/instances/kmemtape-$PPID" || exit 1
		for file in buffer_size_kb buffer_subbuf_size_kb trace_clock set_event; do
			[ ! -e $file ] || cat $file >"$2/chosen.$file"
		done' sh "$tracefs" "$work" >"$work/out" 2>&1 ||
		die "kmemtape record failed: $(last_words "$work/out")"
	for file in buffer_size_kb trace_clock set_event; do
		[ -s "$work/chosen.$file" ] || die "kmemtape's instance has no $file"
	done
	buffer_kib=$(cat "$work/chosen.buffer_size_kb")
	subbuf_kib=$(cat "$work/chosen.buffer_subbuf_size_kb" 2>/dev/null)
	clock=$(grep -o '\[[^]]*\]' "$work/chosen.trace_clock" | tr -d '[]')
}

take_workload_time()
{
	local seconds

	seconds=$(awk '$1 == "Time:" { print $2 }' "$work/hackbench")
	[ -n "$seconds" ] || return 1
	sample recording "$1" workload_s "$seconds"
}

# Of the recorder alone: all that it and its children used, less what the workload used. Both come
# from wait4(), which counts to the microsecond where the kernel does, and here is cut to 10 ms.
take_recorder()
{
	local subject=$1 kept=$2 lost=$3 bytes=$4 cpu

	take_workload_time "$subject" || return 1
	cpu=$(calculate "$(cpu_seconds "$work/outer") - $(cpu_seconds "$work/inner")")
	sample recording "$subject" cpu_s "$cpu"
	sample recording "$subject" around_s "$(calculate "$(wall_seconds "$work/outer") - $(wall_seconds "$work/inner")")"
	sample recording "$subject" tape_bytes "$bytes"
	# The largest process of the tree: not the recorder's, if the workload's is larger.
	[ "$(peak_kib "$work/outer")" -le "$(peak_kib "$work/inner")" ] ||
		sample recording "$subject" peak_kib "$(peak_kib "$work/outer")"
	sample recording "$subject" events_kept "$kept"
	sample recording "$subject" events_lost "$lost"
	[ "${kept:-0}" -gt 0 ] || return 0
	sample recording "$subject" bytes_an_event "$(calculate "$bytes / $kept")"
	sample recording "$subject" cpu_s_a_million "$(calculate "$cpu * 1000000 / $kept")"
	[ -z "$lost" ] || sample recording "$subject" lost_percent "$(calculate "100 * $lost / ($lost + $kept)")"
}

# sum_stats FIELD: over all CPUs of our instance
sum_stats()
{
	cat "$tracefs/instances/$instance"/per_cpu/cpu*/stats |
		awk -v field="$1" -F ': *' '$1 == field { sum += $2 } END { print sum + 0 }'
}

run_untraced()
{
	timed "$work/outer" "${workload[@]}" >"$work/hackbench" && take_workload_time untraced
}

# The same events into the same buffers, which overwrite themselves.
run_unread()
{
	local dir=$tracefs/instances/$instance event status

	mkdir "$dir" || return 1
	{
		[ -z "$subbuf_kib" ] || echo "$subbuf_kib" >"$dir/buffer_subbuf_size_kb"
		echo "$buffer_kib" >"$dir/buffer_size_kb"
		echo "$clock" >"$dir/trace_clock"
		echo 1 >"$dir/options/overwrite"
		while read -r event; do
			echo 1 >"$dir/events/${event/://}/enable"
		done <"$work/chosen.set_event"
	} 2>"$work/err" || {
		skip unread "its instance can't be set up: $(last_words "$work/err")"
		remove_instance "$instance"
		return 1
	}
	timed "$work/outer" "${workload[@]}" >"$work/hackbench"
	status=$?
	echo 0 >"$dir/events/enable"
	sample recording unread events_seen "$(($(sum_stats entries) + $(sum_stats overrun)))"
	remove_instance "$instance"
	[ $status = 0 ] && take_workload_time unread
}

run_kmemtape()
{
	local info kept lost

	rm -rf "$work/new.tape"
	timed "$work/outer" "$KMEMTAPE" record --settle 0s -o "$work/new.tape" -- "${workload[@]}" \
		>"$work/hackbench" 2>"$work/err" || die "kmemtape record failed: $(last_words "$work/err")"
	info=$("$KMEMTAPE" info --format json "$work/new.tape" | jq -r '[.cpu_stats[] |
		[.read, .overrun + .dropped + .commit_overrun]] | transpose | map(add) | @tsv') ||
		die "kmemtape info failed"
	read -r kept lost <<<"$info"
	take_recorder kmemtape "$kept" "$lost" "$(bytes_of "$work/new.tape")" || return 1
	sample recording kmemtape cpu_file_bytes "$(bytes_of "$work/new.tape/cpu")"
	rm -rf "$work/last.tape"
	mv "$work/new.tape" "$work/last.tape"
	tape=$work/last.tape
}

record_all()
{
	local subjects=(untraced unread kmemtape) round i subject

	! $is_full || subjects+=(trace-cmd perf)
	for ((round = 0; round < rounds; round++)); do
		# Another one begins each round, so that none always follows the same.
		for ((i = 0; i < ${#subjects[@]}; i++)); do
			subject=${subjects[(i + round) % ${#subjects[@]}]}
			has_skipped "$subject" && continue
			say "recording, round $((round + 1)) of $rounds: $subject"
			sync -f "$work" # what the last one wrote is none of the next one's cost
			: >"$work/hackbench"
			: >"$work/inner"
			"run_${subject/-/_}"
		done
	done
}

check_space()
{
	local needed=$((loops * BYTES_A_LOOP + 268435456)) there

	there=$(df --output=avail -B1 "$work" | tail -n 1)
	[ "$there" -ge "$needed" ] ||
		die "TMPDIR: $((there >> 20)) MiB are free, this takes $((needed >> 20)) MiB; set another, or fewer --loops"
}
