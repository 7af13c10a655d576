# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # sourced by tools/bench
#
# Cost curves: replays of simulated tapes of which one measure grows, the others staying as they are.

curves=(cpus events live sites)
curve_events=8000000
curve_events_cpus=32000000 # room for each CPU costs something once, 0.3 ms: they have 125,000 events each at least
curve_events_max=64000000 # of the longest tape, if nobody asks for a longer one
curve_mounts=()

# The sizes of a curve.
curve_points()
{
	case $1 in
	cpus) echo 1 2 4 16 64 256 ;;
	events) printf '%d\n' 1000000 4000000 16000000 "${long:-$curve_events_max}" | sort -nu | paste -sd ' ' ;;
	live) echo 1000 10000 100000 1000000 4000000 ;;
	sites) echo 100 1000 10000 100000 1000000 ;;
	esac
}

curve_label()
{
	case $1 in
	cpus) echo "CPUs" ;;
	events) echo "events" ;;
	live) echo "live objects" ;;
	sites) echo "call sites" ;;
	esac
}

# make_curve_tape CURVE SIZE
make_curve_tape()
{
	local dir=$work/$1-$2 options=("--$1" "$2") events=$curve_events

	say "a tape of $2 $(curve_label "$1")"
	if [ "$1" = sites ]; then
		"$helpers/bigtape" "${options[@]}" --events $((curve_events / 2)) "$dir.half" 2>"$work/err" || return
	fi
	if [ "$1" != events ]; then
		[ "$1" != cpus ] || events=$curve_events_cpus
		"$helpers/bigtape" "${options[@]}" --events "$events" "$dir" 2>"$work/err"
		return
	fi
	# Not stored, as the longest fit on no disk. The short ones neither, so that all are made alike.
	mkdir "$dir" && "$helpers/bigtapefs" --events "$2" "$dir.base" "$dir" 2>"$work/err" && curve_mounts+=("$dir")
}

unmount_curves()
{
	local dir

	for dir in "${curve_mounts[@]}"; do
		umount "$dir"
	done
	curve_mounts=()
}

# replay_curve_tape TAPE: on one core, so that nothing but the replay is measured
replay_curve_tape()
{
	timed "$work/outer" taskset -c "$(last_cpu)" "$KMEMTAPE" replay --threads 0 --format json "$1" >"$work/out" 2>"$work/err"
}

# replay_point CURVE SIZE
replay_point()
{
	local subject=$1_$2 begin end events

	begin=${EPOCHREALTIME/./}
	replay_curve_tape "$work/$1-$2" || {
		skip "$subject" "$(last_words "$work/err")"
		return
	}
	end=${EPOCHREALTIME/./}
	events=$(jq .events.total "$work/out")
	sample curves "$subject" ns_an_event "$(calculate "($end - $begin) * 1000 / $events")"
	sample curves "$subject" cpu_ns_an_event "$(calculate "$(cpu_seconds "$work/outer") * 1e9 / $events")"
	sample curves "$subject" peak_kib "$(peak_kib "$work/outer")"
	sample curves "$subject" events "$events"
	sample curves "$subject" peak_live "$(jq .matching.peak_live "$work/out")"
	[ "$1" != sites ] || replay_half "$subject" "$(cpu_seconds "$work/outer")" "$events"
}

# replay_half SUBJECT SECONDS EVENTS: each call site costs something once, its row and its judgement, whatever the number of
# events. A tape of half as many, of the same sites, tells that from what an event costs.
replay_half()
{
	local events more

	replay_curve_tape "$work/${1/_/-}.half" || {
		skip "$1" "$(last_words "$work/err")"
		return
	}
	events=$(jq .events.total "$work/out")
	more=$(calculate "($2 - $(cpu_seconds "$work/outer")) * 1e9 / ($3 - $events)")
	sample curves "$1" cpu_ns_an_event_more "$more"
	sample curves "$1" cpu_s_once "$(calculate "$2 - $more * $3 / 1e9")"
}

check_curves_space()
{
	# 10 tapes of 8 million events, at 9 to 12 bytes, 5 of half as many, 6 of 32 million
	local needed=$((3400 << 20)) there

	there=$(df --output=avail -B1 "$work" | tail -n 1)
	[ "$there" -ge "$needed" ] || die "TMPDIR: $((there >> 20)) MiB are free, the curves take $((needed >> 20)) MiB; set another"
}

curves_all()
{
	local round curve size made=()

	check_curves_space
	for curve in "${curves[@]}"; do
		if [ "$curve" = events ] && ! { $is_root && [ -c /dev/fuse ] && [ -x "$helpers/bigtapefs" ]; }; then
			skip curve_events "tapes made on the fly need root, /dev/fuse, libfuse3-dev and libxxhash-dev"
			continue
		fi
		for size in $(curve_points "$curve"); do
			if make_curve_tape "$curve" "$size"; then
				made+=("$curve $size")
			else
				skip "${curve}_$size" "$(last_words "$work/err")"
			fi
		done
	done
	for ((round = 0; round < rounds; round++)); do
		for size in "${made[@]}"; do
			# Ten billion events take a quarter of an hour: once is enough, in which much evens out.
			[ "$round" != 0 ] && [ "${size#* }" -gt 1000000000 ] && continue
			say "curves, round $((round + 1)) of $rounds: ${size/ / }"
			# shellcheck disable=SC2086 # two words
			replay_point $size
		done
	done
	unmount_curves
	for size in "${made[@]}"; do
		rm -rf "$work/${size/ /-}" "$work/${size/ /-}.base" "$work/${size/ /-}.half"
	done
}
