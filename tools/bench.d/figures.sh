# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # sourced by tools/bench
#
# From samples to medians, spreads, ratios and targets.

versions()
{
	local hackbench perf trace_cmd zstd

	hackbench=$(dpkg-query -W -f '${Version}' rt-tests 2>/dev/null)
	perf=$(perf --version 2>/dev/null | awk '{ print $3 }')
	trace_cmd=$(trace-cmd --version 2>/dev/null | awk '/version/ { print $3; exit }')
	zstd=$(zstd --version 2>/dev/null | grep -o 'v[0-9.]*[0-9]' | head -n 1)
	jq -n --arg kmemtape "$(awk '{ print $2; exit }' "$work/version")" --arg build "$built" \
		--arg hackbench "$hackbench" --arg perf "$perf" --arg trace_cmd "$trace_cmd" \
		--arg zstd "${zstd#v}" '{
			kmemtape: $kmemtape, kmemtape_build: $build, "rt-tests": $hackbench,
			"trace-cmd": $trace_cmd, perf: $perf, zstd: $zstd } | with_entries(select(.value != ""))'
}

machine()
{
	local cpu

	cpu=$(awk -F ': *' '$1 ~ /^(model name|Model|cpu model)\t*$/ { print $2; exit }' /proc/cpuinfo)
	[ -n "$cpu" ] || cpu=$(lscpu | awk -F ': *' '$1 == "Model name" { print $2; exit }')
	jq -n --arg cpu "${cpu:-unknown}" --arg cores "$(nproc)" --arg kernel "$(uname -sr)" \
		--arg arch "$(uname -m)" --arg filesystem "$(df --output=fstype "$work" | tail -n 1)" \
		--arg memory_kib "$(awk '$1 == "MemTotal:" { print $2 }' /proc/meminfo)" '{
			cpu: $cpu, cores: ($cores | tonumber), memory_bytes: ($memory_kib | tonumber * 1024),
			kernel: $kernel, arch: $arch, filesystem: $filesystem }'
}

facts()
{
	jq -n --argjson machine "$(machine)" --argjson versions "$(versions)" \
		--arg loops "$loops" --arg stacks_loops "$stacks_loops" --arg rounds "$rounds" --arg buffer_kib "${buffer_kib:-}" \
		--arg subbuf_kib "${subbuf_kib:-}" --arg clock "${clock:-}" --arg events "$events" \
		--arg peak_live "$peak_live" --arg stand_ins "${trace_cmd_stand_ins:-no}" \
		--rawfile skipped "$work/skipped" --rawfile notes "$work/notes" '
		def number: if . == "" then null else tonumber end;
		{ schema: 1, machine: $machine, versions: $versions, rounds: ($rounds | number),
		  stacks_workload: "hackbench -g 4 -l \($stacks_loops)",
		  workload: (if $clock == "" then null else {
			command: "hackbench -g 4 -l \($loops)", buffer_kib: ($buffer_kib | number),
			subbuf_kib: ($subbuf_kib | number), clock: $clock,
			trace_cmd_stand_ins: ($stand_ins == "yes") } end),
		  tape: { events: ($events | number), peak_live: ($peak_live | number) },
		  skipped: [$skipped | split("\n")[] | select(. != "") | split("\t") | { subject: .[0], why: .[1] }],
		  notes: [$notes | split("\n")[] | select(. != "")] }'
}

# From samples and facts to all figures.
# shellcheck disable=SC2016 # a jq program
figures='
def figure:
	sort as $runs | ($runs | length) as $n |
	(if $n % 2 == 1 then $runs[($n - 1) / 2] else ($runs[$n / 2 - 1] + $runs[$n / 2]) / 2 end) as $median |
	(if $runs[0] == $runs[-1] then 0 elif $median == 0 then null
	 else ($runs[-1] - $runs[0]) / $median end) as $spread |
	{ median: $median, min: $runs[0], max: $runs[-1], spread: $spread,
	  is_steady: ($n > 1 and $spread != null and $spread <= $spread_max), runs: $runs };
# Of the curve that a subject, like cpus_256, is a point of: the first point.
def first_of(curves; $subject): ($subject | split("_")[0]) as $curve |
	[curves | keys_unsorted[] | select(startswith($curve + "_"))] | min_by(split("_")[1] | tonumber);
# What an event costs, without what is done once, where that is known.
def an_event: .cpu_ns_an_event_more // .cpu_ns_an_event;
def named($ratios; $part; $subject; $name): [$ratios[] | select(.part == $part and .subject == $subject and .name == $name)][0].value;
# Counted, not measured: once is enough.
def exact: .is_steady = true;
# A ratio of medians of this run; null if one of them is unknown or tells too little.
def ratio(a; b): if a and b and a.is_steady and b.is_steady and b.median != 0
	then a.median / b.median else null end;
# What kmemtape adds to what the events cost anyway.
def overhead(a; base; none): if a and base and none and a.is_steady and base.is_steady and none.is_steady
	and base.median > none.median then (a.median - none.median) / (base.median - none.median) else null end;
def target($name; $of; $value; $limit; $unit; $at_most):
	if $value == null or $limit == null then empty else
	{ name: $name, value: $value, limit: $limit, unit: $unit, at_most: $at_most,
	  is_steady: (if $of == null then true else $of.is_steady end),
	  is_reached: (if $at_most then $value <= $limit else $value >= $limit end) } end;
# The same for a ratio of what was measured: without a value, if that was refused.
def ratio_target($name; $measured; $value; $limit; $at_most):
	if $measured | not then empty
	elif $value == null then { name: $name, value: null, limit: $limit, unit: "x", at_most: $at_most }
	else target($name; null; $value; $limit; "x"; $at_most) end;

$facts[0] as $facts |
[inputs | split("\t") | { part: .[0], subject: .[1], metric: .[2], value: (.[3] | tonumber) }] |
(group_by(.part) | map({ key: .[0].part, value: (group_by(.subject) | map({ key: .[0].subject, value:
	(group_by(.metric) | map({ key: .[0].metric, value: (map(.value) | figure) }) | from_entries
	 | if .instructions_an_event then .instructions_an_event |= exact else . end) })
	| from_entries) }) | from_entries) as $parts |
$facts + $parts |
.recording as $r | .stacks as $s | .replay as $p | .small as $small | .curves as $c |
.ratios = [
	(["unread", "kmemtape", "trace-cmd", "perf"][] | . as $s | select($r[$s].workload_s) |
		{ part: "recording", subject: $s, name: "workload_x_untraced",
		  value: ratio($r[$s].workload_s; $r.untraced.workload_s) },
		(select($s != "unread") | { part: "recording", subject: $s, name: "workload_x_unread",
		  value: ratio($r[$s].workload_s; $r.unread.workload_s) })),
	(["slab", "stack", "stack_8", "stack_16", "stack_64"][] | . as $subject | select($s[$subject].workload_s) |
		{ part: "stacks", subject: $subject, name: "workload_x_untraced",
		  value: ratio($s[$subject].workload_s; $s.untraced.workload_s) }),
	(select($r.unread and $r.kmemtape) | { part: "recording", subject: "kmemtape", name: "overhead_x_unread",
		value: overhead($r.kmemtape.workload_s; $r.unread.workload_s; $r.untraced.workload_s) }),
	(["one_core", "two_cores", "all_cores", "small_one_core"][] | . as $s | select($p[$s].wall_s) |
		{ part: "replay", subject: $s, name: "wall_x_zstd",
		  value: ratio($p[$s].wall_s; $p.zstd.wall_s) }),
	(select($p.small_one_core) | { part: "replay", subject: "small_one_core", name: "wall_x_raw",
		value: ratio($p.small_one_core.wall_s; $p.one_core.wall_s) }),
	(select($p.two_cores) | { part: "replay", subject: "two_cores", name: "scaling_efficiency",
		value: (ratio($p.one_core.wall_s; $p.two_cores.wall_s) | if . then . / 2 else null end) }),
	($c // {} | keys_unsorted[] as $subject | first_of($c; $subject) as $first | select($first) |
		{ part: "curves", subject: $subject, name: "ns_x_first",
		  value: ratio($c[$subject] | an_event; $c[$first] | an_event) }) ] |
.tape.peak_bytes_limit = (if .tape.peak_live then 67108864 + 64 * .tape.peak_live else null end) |
.ratios as $ratios |
([$c // {} | keys_unsorted[] | select(startswith("events_"))] | max_by(split("_")[1] | tonumber)) as $longest |
.targets = [
	target("events lost, in all rounds"; null; $r.kmemtape.events_lost.max; 0; "events"; true),
	ratio_target("what recording adds, times what the events cost"; $r.kmemtape and $r.unread;
		named($ratios; "recording"; "kmemtape"; "overhead_x_unread"); 1.10; true),
	target("recorder CPU a million events"; $r.kmemtape.cpu_s_a_million; $r.kmemtape.cpu_s_a_million.median; 0.08; "s"; true),
	target("recorder memory beside the ring buffers"; null;
		($r.kmemtape.peak_kib.max | if . then . / 1024 else null end);
		16 + 3 * .machine.cores; "MiB"; true),
	target("tape, bytes an event"; $r.kmemtape.bytes_an_event; $r.kmemtape.bytes_an_event.median; 7; "bytes"; true),
	target("pack --small, bytes an event"; null; $small.pack.bytes_an_event.median; 2.5; "bytes"; true),
	ratio_target("replay of it, times that of the tape"; $p.small_one_core;
		named($ratios; "replay"; "small_one_core"; "wall_x_raw"); 1; true),
	ratio_target("workload with stacks of 1/16, times untraced"; $s.stack_16;
		named($ratios; "stacks"; "stack_16"; "workload_x_untraced"); 1.3; true),
	target("replay on one core, million events/s"; $p.one_core.events_a_second;
		($p.one_core.events_a_second.median | if . then . / 1e6 else null end); 15; "M/s"; false),
	ratio_target("replay on two cores, times zstd -dc"; $p.two_cores;
		named($ratios; "replay"; "two_cores"; "wall_x_zstd"); 1; true),
	ratio_target("scaling from one core to two"; $p.two_cores;
		named($ratios; "replay"; "two_cores"; "scaling_efficiency"); 0.85; false),
	target("replay memory"; null;
		([$p[]?.peak_kib.max] | max | if . then . / 1024 else null end);
		(.tape.peak_bytes_limit | if . then . / 1048576 else null end); "MiB"; true),
	ratio_target("an event of 256 CPUs, times one of 1"; $c.cpus_256;
		named($ratios; "curves"; "cpus_256"; "ns_x_first"); 1.3; true),
	(select($longest) | ratio_target("an event of \($longest[7:] | tonumber / 1e6) million, times one of 1 million"; $c[$longest];
		named($ratios; "curves"; $longest; "ns_x_first"); 1.3; true)),
	target("memory of all simulated tapes, times the limit"; null;
		([$c // {} | .[] | .peak_kib.max * 1024 / (67108864 + 64 * .peak_live.median)] | max); 1; "x"; true) ]
'

# Lines "part subject metric median min max is_steady"; a ratio has no more than its value.
# shellcheck disable=SC2016 # a jq program
flat='
(["recording", "stacks", "small", "replay", "curves"][] as $part | .[$part] // {} | to_entries[] | .key as $subject |
	.value | to_entries[] | [$part, $subject, .key, .value.median, .value.min, .value.max, .value.is_steady]),
(.ratios[] | [.part, .subject, .name, (if .value == null then "refused" else .value end), "", "", true])
| @tsv'
