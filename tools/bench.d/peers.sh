# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # sourced by tools/bench
#
# The same workload, recorded by trace-cmd and perf.

# trace-cmd clears function filters before it records, and gives up on a kernel where these can't be
# opened. In a mount namespace of its own it finds plain files there.
# shellcheck disable=SC2016 # for the inner shell
stand_ins='
	tracefs=$1 instance=$2 work=$3
	shift 3
	for dir in "$tracefs" "$tracefs/instances/$instance"; do
		for file in set_ftrace_filter set_ftrace_notrace set_ftrace_pid set_ftrace_notrace_pid; do
			[ ! -e "$dir/$file" ] || mount --bind "$work/empty" "$dir/$file" || exit
		done
	done
	[ ! -e /proc/sys/kernel/ftrace_enabled ] ||
		mount --bind "$work/one" /proc/sys/kernel/ftrace_enabled || exit
	exec "$@"'

run_trace_cmd()
{
	local event args=() prefix=() stats kept lost

	command -v trace-cmd >/dev/null || {
		skip trace-cmd "not installed"
		return 1
	}
	for event in $EVENTS; do
		args+=(-e "$event")
	done
	# In an instance of its own: in the top one it would take over what somebody else traces. With
	# trace-cmd's own settings; trace-cmd removes the instance.
	mkdir "$tracefs/instances/$instance" || return 1
	if ! { : <"$tracefs/set_ftrace_filter"; } 2>/dev/null; then
		: >"$work/empty"
		echo 1 >"$work/one"
		prefix=(unshare -m --propagation private sh -c "$stand_ins" sh "$tracefs" "$instance" "$work")
		trace_cmd_stand_ins=yes
	fi
	timed "$work/outer" "${prefix[@]}" trace-cmd record -B "$instance" "${args[@]}" \
		-o "$work/trace.dat" -- "${workload[@]}" >"$work/hackbench" 2>"$work/err" || {
		skip trace-cmd "$(last_words "$work/err")"
		remove_instance "$instance"
		rm -f "$work"/trace.dat*
		return 1
	}
	remove_instance "$instance"
	stats=$(trace-cmd dump --options "$work/trace.dat" 2>/dev/null | awk -F ': *' '
		$1 == "entries" || $1 == "read events" { kept += $2 }
		$1 == "overrun" || $1 == "commit overrun" || $1 == "dropped events" { lost += $2 }
		END { if (kept) print kept, lost + 0 }')
	read -r kept lost <<<"$stats"
	take_recorder trace-cmd "${kept:-}" "${lost:-}" "$(bytes_of "$work/trace.dat")"
	rm -f "$work"/trace.dat*
}

run_perf()
{
	local event args=() stats kept lost

	command -v perf >/dev/null || {
		skip perf "not installed"
		return 1
	}
	for event in $EVENTS; do
		args+=(-e "$event")
	done
	timed "$work/outer" perf record -z -a "${args[@]}" -o "$work/perf.data" -- "${workload[@]}" \
		>"$work/hackbench" 2>"$work/err" || {
		skip perf "$(last_words "$work/err")"
		rm -f "$work/perf.data"*
		return 1
	}
	# Lost samples are told for each event from perf 6.1 and Linux 6.0 on; before, how many is unknown.
	stats=$(perf report -i "$work/perf.data" --stats 2>/dev/null | awk '
		/^[a-z].* stats:$/ { is_ours = $1 ~ /^kmem:/ }
		is_ours && /SAMPLE events:/ { kept += $3 }
		is_ours && /LOST_SAMPLES events:/ { lost += $3; is_told = 1 }
		/^ +LOST events:/ && !is_ours { has_lost = 1 }
		END { if (kept) print kept, is_told || !has_lost ? lost + 0 : "" }')
	read -r kept lost <<<"$stats"
	take_recorder perf "${kept:-}" "${lost:-}" "$(bytes_of "$work/perf.data")"
	rm -f "$work/perf.data"*
}
