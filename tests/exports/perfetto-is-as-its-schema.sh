#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# `replay --format perfetto` is what Perfetto's published fields say: protoc decodes all of it, each number refers to what is
# there, as the trace processor wants it, and the sums are those of the JSON report, of all kinds of tapes.
. "$(dirname "$0")/lib.sh"
need protoc
$python -c 'import google.protobuf' 2>/dev/null || {
	echo "no python3-protobuf here"
	exit 77
}
# Code of an older protoc needs that, and any will do.
export PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION=python
protoc --proto_path="$KMT_TESTS/exports" --python_out=. perfetto.proto || fail "protoc"

cat >read.py <<'END'
import json, sys
import perfetto_pb2
data, report, rows = open(sys.argv[1], "rb").read(), json.load(open(sys.argv[2])), sys.argv[3]
trace = perfetto_pb2.Trace()
trace.ParseFromString(data)
def is_known(message):
	assert not len(message.UnknownFields()), "unknown fields in %s" % message
	for field, value in message.ListFields():
		if field.type == field.TYPE_MESSAGE:
			for one in value if field.label == field.LABEL_REPEATED else [value]:
				is_known(one)
is_known(trace)
counted = [row for row in report[rows] if row.get("counted")]
packets = list(trace.packet)
assert all(packet.trusted_packet_sequence_id == 1 for packet in packets) and packets[0].sequence_flags == 1

# Without a snapshot that has both, heap profiles (4: MONOTONIC_COARSE) can't be put in the trace's time (6: BOOTTIME).
clocks = {clock.clock_id: clock.timestamp for clock in packets[0].clock_snapshot.clocks}
assert clocks[4] == clocks[6] == clocks[3] == report["tape"]["start_ns"], clocks
if "started_at" in report["tape"]:
	assert clocks[1] == 1700000000000000000 + clocks[6], clocks

tracks, values = {}, {}
for packet in packets:
	assert report["tape"]["start_ns"] <= packet.timestamp <= report["tape"]["end_ns"]
	if packet.HasField("track_descriptor"):
		track = packet.track_descriptor
		assert track.uuid not in tracks and (track.parent_uuid in tracks or track.HasField("process"))
		tracks[track.uuid] = track
	if packet.HasField("track_event"):
		event = packet.track_event
		assert event.track_uuid in tracks
		if event.type == 4:
			assert tracks[event.track_uuid].counter.unit == 3
			times = values.setdefault(tracks[event.track_uuid].name, [])
			assert not times or times[-1][0] <= packet.timestamp
			times.append((packet.timestamp, event.counter_value))
remarks = [packet.track_event.name for packet in packets if packet.track_event.type == 3]
assert any(name.startswith("lost events: %d" % report["events"]["lost"]) for name in remarks), remarks
histories = [row["history"]["live_bytes"] for row in counted if "history" in row]
assert [value for _, value in values["live"]] == [sum(point) for point in zip(*histories)] or not histories, values["live"]
assert all(sum(curve[i][1] for name, curve in values.items() if name != "live") == values["live"][i][1]
	   for i in range(len(values["live"]))), "the parts are not the whole"

profiles = [packet for packet in packets if packet.HasField("profile_packet")]
assert len(profiles) == 1 and profiles[0] is packets[-1] and packets[-1].timestamp == report["tape"]["end_ns"]
heap = packets[-1].profile_packet
strings = {one.iid: one.str for one in heap.strings}
mappings = {one.iid: one for one in heap.mappings}
frames = {one.iid: one for one in heap.frames}
stacks = {one.iid: one for one in heap.callstacks}
for table, whole in ((strings, heap.strings), (mappings, heap.mappings), (frames, heap.frames), (stacks, heap.callstacks)):
	assert len(table) == len(whole) and 0 not in table
for one in mappings.values():
	assert one.path_string_ids[0] in strings
dump, = heap.process_dumps
assert dump.pid == 2 and dump.timestamp == packets[-1].timestamp
assert any(track.process.pid == 2 for track in tracks.values())
total = lambda key: sum(row[key] for row in counted)
assert sum(one.self_allocated for one in dump.samples) == total("alloc_bytes")
assert sum(one.self_allocated - one.self_freed for one in dump.samples) == total("live_bytes")
assert sum(one.alloc_count for one in dump.samples) == total("allocs")
assert sum(one.alloc_count - one.free_count for one in dump.samples) == total("live_objects")
for one in dump.samples:
	names = []
	for iid in stacks[one.callstack_id].frame_ids:
		assert frames[iid].mapping_id in mappings and frames[iid].HasField("rel_pc")
		name = strings[frames[iid].function_name_id].decode()
		assert not any(ord(c) < 32 or ord(c) == 127 for c in name), "raw: %r" % name
		names.append(name)
	print(";".join(names), one.self_allocated - one.self_freed)
for one in mappings.values():
	print(strings[one.path_string_ids[0]].decode(), strings[one.build_id].hex() if one.build_id else "-", file=sys.stderr)
END

# Usage: check ROWS ARG...: its stacks go to stdout, its mappings to the file mappings
check() {
	local rows=$1
	shift
	"$KMEMTAPE" replay --format perfetto "$@" -o trace || fail "$*: exit $?"
	"$KMEMTAPE" replay --format json --by "${rows%s}" "$@" >report.json
	$python read.py trace report.json "$rows" 2>mappings || fail "$*: $(cat mappings)"
}

for tape in good evil; do
	check stacks $tape | sed 's/^other/[vmlinux];other/' | sort | diff - <("$KMEMTAPE" replay --format folded $tape | sort) || fail "$tape: not the stacks of folded"
done
check stacks good >/dev/null
diff - <(sort mappings) <<'END' || fail "mappings"
mod 22220000000000000000000000000000deadbeef
vmlinux 1111000000000000000000000000000000001111
END
check stacks --top 1 good | wc -l | grep -qx 1 || fail "--top 1"
check caches --by cache good | grep -qx 'kmalloc-4k 81920' || fail "--by cache"
"$MKTAPE" "$KMT_TESTS/golden/spaces-are-never-mixed.script" -o spaces && check sites spaces >/dev/null
"$MKTAPE" "$KMT_TESTS/golden/what-is-left-of-a-block-stays-live.script" -o split && "$KMEMTAPE" replay --format perfetto split >trace || fail "split"
"$MKTAPE" "$KMT_TESTS/golden/a-loss-makes-older-objects-uncertain.script" -o lossy && check sites lossy >/dev/null
same_for_any_threads perfetto
exit $failed
