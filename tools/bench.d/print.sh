# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # sourced by tools/bench
#
# The figures as tables.

# print_table PART "SUBJECT=HEADING ..." <ROWS; a row is METRIC|LABEL|FORMAT|SCALE|RANGE
print_table()
{
	awk -v part="$1" -v columns="$2" -v flat="$work/flat" '
		BEGIN {
			FS = "\t"
			while ((getline <flat) > 0)
				if ($1 == part) {
					median[$2, $3] = $4; min[$2, $3] = $5; max[$2, $3] = $6
					is_steady[$2, $3] = $7 == "true"; is_there[$2] = 1
				}
			n = split(columns, column, " ")
			printf "%-24s", ""
			for (i = 1; i <= n; i++) {
				split(column[i], pair, "="); subject[i] = pair[1]
				if (subject[i] in is_there) printf "%15s", pair[2]
			}
			print ""
			FS = "|"
		}
		{
			line = sprintf("%-24s", $2); range = sprintf("%-24s", ""); any = any_range = 0
			for (i = 1; i <= n; i++) {
				key = subject[i] SUBSEP $1
				if (!(subject[i] in is_there)) continue
				text = between = ""
				if (!(key in median)) text = "-"
				else if (median[key] == "refused") { text = "-"; any = 1 }
				else {
					any = 1
					text = (is_steady[key] ? "" : "~") sprintf($3, median[key] * $4)
					if ($5 && min[key] != max[key]) {
						any_range = 1
						between = sprintf($3, min[key] * $4) ".." sprintf($3, max[key] * $4)
					}
				}
				line = line sprintf("%15s", text); range = range sprintf("%15s", between)
			}
			if (any) print line
			if (any && any_range) print range
		}'
}

print_head()
{
	jq -r '
		"\(.machine.cpu), \(.machine.cores) cores, \(.machine.memory_bytes / 1073741824 * 10 | round / 10) GiB of memory, \(.machine.arch), files on \(.machine.filesystem)",
		"\(.machine.kernel)",
		([.versions | to_entries[] | select(.key != "kmemtape_build") | "\(.key) \(.value)"] | join(", "))
			+ "; kmemtape: \(.versions.kmemtape_build)",
		(if .workload and .recording then
			"\(.workload.command), \(.rounds) rounds in turns; ring buffers of \(.workload.buffer_kib) KiB a CPU, "
			+ "clock \(.workload.clock)" else empty end)' "$work/figures"
}

print_recording()
{
	echo
	echo "Recording: medians, min..max below"
	print_table recording "untraced=untraced unread=unread kmemtape=kmemtape trace-cmd=trace-cmd perf=perf" <<-'ROWS'
		workload_s|workload, s|%.2f|1|1
		workload_x_untraced|  times untraced|%.2f|1|
		workload_x_unread|  times unread|%.2f|1|
		overhead_x_unread|  added, times unread|%.2f|1|
		around_s|start and end, s|%.2f|1|1
		events_seen|events written, M|%.2f|1e-6|1
		events_kept|events kept, M|%.2f|1e-6|1
		events_lost|events lost, M|%.2f|1e-6|1
		lost_percent|  % of all|%.1f|1|
		cpu_s|recorder CPU, s|%.2f|1|1
		cpu_s_a_million|  s a million kept|%.3f|1|1
		tape_bytes|on disk, MB|%.1f|1e-6|1
		bytes_an_event|  bytes an event kept|%.2f|1|1
		peak_kib|peak memory, MiB|%.1f|0.0009765625|1
	ROWS
	cat <<-'TEXT'
		unread: the same events into ring buffers like kmemtape's, overwritten, nobody reading. trace-cmd and
		perf: their own defaults. Recorder CPU: user and system time of the recorder and its children from
		start to end, start and finish of the recording included, less that of the workload; without what
		the kernel does elsewhere (writing back files). Start and end: how long the recorder takes before
		and after the workload, whose time is what hackbench says of itself. Peak memory: of the
		recorder's largest process.
	TEXT
}

print_stacks()
{
	echo
	jq -r '"Stacks and samples, \(.stacks_workload), \(.rounds) rounds in turns: medians, min..max below"' "$work/figures"
	print_table stacks "untraced=untraced slab=-e_slab stack=--stack stack_8=1/8 stack_16=1/16 stack_64=1/64" <<-'ROWS'
		workload_s|workload, s|%.2f|1|1
		workload_x_untraced|  times untraced|%.2f|1|
		events_kept|events kept, M|%.2f|1e-6|1
		events_lost|events lost, M|%.2f|1e-6|1
		tape_bytes|on disk, MB|%.1f|1e-6|1
	ROWS
	jq -r '.stacks | to_entries | map(select(.value.workload_s.spread) | .value.workload_s.spread) | max // empty |
		"largest spread of the workload: \(. * 100 | round) % of its median"' "$work/figures"
	echo "--stack: of each allocation; 1/N: the same with --sample 1/N."
}

print_replay()
{
	echo
	jq -r '"Replay of \(.tape.events) events: medians, min..max below"' "$work/figures"
	print_table replay "zstd=zstd-dc,1core one_core=1_core two_cores=2_cores all_cores=all_cores small_one_core=small,1core" <<-'ROWS'
		wall_s|time, s|%.2f|1|1
		wall_x_zstd|  times zstd -dc|%.2f|1|
		wall_x_raw|  times 1 core|%.2f|1|
		scaling_efficiency|  of twice as fast|%.2f|1|
		events_a_second|M events/s|%.2f|1e-6|1
		cpu_s|CPU, s|%.2f|1|1
		events_a_cpu_second|M events/s of CPU|%.2f|1e-6|1
		peak_kib|peak memory, MiB|%.1f|0.0009765625|1
		instructions_an_event|instructions an event|%.0f|1|
	ROWS
	print_small
	jq -r 'if .tape.peak_live then "peak of live objects \(.tape.peak_live): memory may be 64 MiB + 64 bytes each, \(.tape.peak_bytes_limit / 1048576 * 10 | round / 10) MiB" else empty end' "$work/figures"
}

# One curve, a line for each size.
print_curve()
{
	awk -F '\t' -v curve="$1" -v label="$2" '
		$1 == "curves" && index($2, curve "_") == 1 { value[$2, $3] = $4; is_steady[$2, $3] = $7 == "true"; is_there[$2] = 1 }
		END {
			for (subject in is_there) {
				x = substr(subject, length(curve) + 2)
				ns = value[subject, "cpu_ns_an_event"]; times = value[subject, "ns_x_first"]
				printf "%15d %13s%.1f %14.1f %14s %12.1f %12.1f\n", x,
					is_steady[subject, "cpu_ns_an_event"] ? "" : "~", ns, value[subject, "ns_an_event"],
					times == "refused" || times == "" ? "-" : sprintf("%.2f", times), value[subject, "peak_kib"] / 1024,
					64 + value[subject, "peak_live"] * 64 / 1048576 | "sort -n"
			}
		}' "$work/flat" >"$work/curve"
	[ -s "$work/curve" ] || return 0
	printf '%15s %14s %14s %14s %12s %12s\n' "$2" "CPU ns/event" "ns/event" "times first" "peak, MiB" "may be, MiB"
	cat "$work/curve"
}

# That of call sites: what an event costs, and what each of them does, beyond those of the first size.
print_sites_curve()
{
	awk -F '\t' '
		$1 == "curves" && index($2, "sites_") == 1 { value[$2, $3] = $4; is_steady[$2, $3] = $7 == "true"; sizes[substr($2, 7)] }
		function told(size, metric, format) {
			return (is_steady["sites_" size, metric] ? "" : "~") sprintf(format, value["sites_" size, metric])
		}
		# a site, beyond the first size
		function each(size, metric, scale, format) {
			if (size == first) return "-"
			return sprintf(format, (value["sites_" size, metric] - value["sites_" first, metric]) * scale / (size - first))
		}
		END {
			for (size in sizes)
				if (first == "" || size + 0 < first) first = size + 0
			for (size in sizes) {
				times = value["sites_" size, "ns_x_first"]
				printf "%15d %14s %14s %14s %12s %14s %12.1f %14s\n", size, told(size, "cpu_ns_an_event", "%.1f"),
					told(size, "cpu_ns_an_event_more", "%.1f"), times == "refused" || times == "" ? "-" : sprintf("%.2f", times),
					told(size, "cpu_s_once", "%.2f"), each(size, "cpu_s_once", 1e6, "%.1f"),
					value["sites_" size, "peak_kib"] / 1024, each(size, "peak_kib", 1, "%.2f") | "sort -n"
			}
		}' "$work/flat" >"$work/curve"
	[ -s "$work/curve" ] || return 0
	printf '%15s %14s %14s %14s %12s %14s %12s %14s\n' "call sites" "CPU ns/event" "an event more" "times first" "once, CPU s" \
		"CPU us a site" "peak, MiB" "KiB a site"
	cat "$work/curve"
	cat <<-'TEXT'
		An event more: what longer tapes of the same call sites take, an event; times first is of this. Once: the rest, above
		all the row and the judgement of each site; a site: beyond those of the first line.
	TEXT
}

print_curves()
{
	local curve

	echo
	echo "Replay of simulated tapes on one core, of 8 million events (32 of those with other CPUs), 2 CPUs, 100 000 live objects and 300 call sites but for what is varied"
	for curve in "${curves[@]}"; do
		[ "$curve" = sites ] || print_curve "$curve" "$(curve_label "$curve")"
	done
	print_sites_curve
}

print_small()
{
	jq -r '.small.pack // empty | "packed with --small: \(.bytes_an_event.median * 100 | round / 100) bytes an event, in \(.cpu_s.median) s of CPU"' "$work/figures"
}

print_targets()
{
	echo
	echo "Targets"
	jq -r '.targets[] | [.name, (.value // (if has("is_steady") then 0 else "refused" end)), .limit, .unit, .at_most, .is_steady, .is_reached] | @tsv' "$work/figures" |
		awk -F '\t' '$2 == "refused" { printf "  %-48s refused: the runs differ too much\n", $1; next } {
			decimals = $4 == "events" ? "%.0f" : $4 == "s" ? "%.3f" : "%.2f"
			printf "  %-48s %s%s, at %s %s: %s\n", $1, $6 == "true" ? "" : "~", sprintf(decimals, $2),
				$5 == "true" ? "most" : "least", sprintf(decimals, $3) + 0 " " $4,
				$7 == "true" ? "reached" : "missed"
		}'
}

print_rest()
{
	jq -r '
		(if ([.. | objects | select(has("is_steady")) | select(.is_steady | not)] | length) > 0
		 then "~: the runs differ by more than 30 % of the median (or there was only one): no ratios of these" else empty end),
		(if .workload.trace_cmd_stand_ins
		 then "trace-cmd: with plain files in the place of the function filters, which this kernel keeps shut" else empty end),
		(.skipped[] | "\(.subject): skipped: \(.why)"),
		(.notes[] | .)' "$work/figures" >"$work/rest"
	[ -s "$work/rest" ] || return 0
	echo
	cat "$work/rest"
}
