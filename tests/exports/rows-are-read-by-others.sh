#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# `replay --format csv` is what python's csv reads, `ndjson` what jq reads line by line: all rows of the JSON report, with the same
# numbers, whatever their names; and a spreadsheet takes no name for a formula.
. "$(dirname "$0")/lib.sh"

cat >read.py <<'END'
import csv, json, sys
data = open(sys.argv[1], "rb").read()
assert data.count(b"\n") == data.count(b"\r\n") and data.endswith(b"\r\n"), "ends of lines"
text = data.decode("utf-8")
assert not any(ord(c) < 32 and c not in "\r\n" for c in text), "raw control characters"
rows = list(csv.DictReader(text.splitlines(), strict=True))
report = json.load(open(sys.argv[2]))
others = report[sys.argv[3]]
assert len(rows) == len(others), "%d rows of %d" % (len(rows), len(others))
for row, other in zip(rows, others):
	assert None not in row and None not in row.values(), "columns: %r" % row
	for key in ("allocs", "frees", "reused", "alloc_bytes", "live_objects", "live_bytes", "requested_bytes", "mature_objects",
		    "mature_bytes", "uncertain_objects", "oldest_age_ns"):
		assert row[key] == str(other.get(key, "")), (key, row[key], other.get(key))
	assert row["call_site"] == (other["call_site"] if other.get("call_site", "0x0") != "0x0" else "")
	for key in ("symbol", "function", "module", "cache", "space", "use", "comm", "owner", "class"):
		assert row[key] == (other.get(key) or ""), (key, row[key], other.get(key))
	assert bool(int(row["counted"])) == other.get("counted", False)
	assert float(row["confidence"]) == other["confidence"] and row["trend"] == other["trend"]["shape"]
	assert row["kernel"] == report["tape"]["kernel"] and row["lost"] == str(report["events"]["lost"])
	assert row["losses"] == str(report["events"]["losses"])
counted = sum(int(row["live_bytes"]) for row in rows if row["counted"] == "1")
assert counted == report["matching"]["live_bytes"] or len(sys.argv) > 4, "the sum is %d" % counted
for row in rows:
	for value in row.values():
		assert value[:1] not in ("=", "+", "@"), "a formula: %r" % value
END

# Usage: check KEY TAPE ARG...: CSV and NDJSON of it against its JSON, whose list is KEY
check() {
	local key=$1 tape=$2
	shift 2
	"$KMEMTAPE" replay --format json "$@" "$tape" >report.json || fail "$tape $*: exit $?"
	"$KMEMTAPE" replay --format csv "$@" -o rows.csv "$tape" || fail "csv $tape $*: exit $?"
	python3 read.py rows.csv report.json "$key" ${limited:+"$limited"} || fail "csv $tape $*: $(head -c 3000 rows.csv | cat -v)"
	"$KMEMTAPE" replay --format ndjson "$@" -o rows.ndjson "$tape" || fail "ndjson $tape $*: exit $?"
	[ "$(wc -l <rows.ndjson)" -eq "$(jq ".$key | length" report.json)" ] || fail "ndjson $tape $*: lines"
	# Each line alone is a row of the report, with what is the same for all.
	jq -c ".$key[]" report.json >wanted
	jq -cR 'fromjson | del(.host, .tape, .kernel, .started_at, .duration_ns, .lost, .losses, .complete, .sample)' rows.ndjson >got ||
		fail "ndjson $tape $*: not a line each"
	diff <(jq -cS . wanted) <(jq -cS . got) >log || fail "ndjson $tape $*: $(head -c 2000 log)"
}

check sites good
check sites evil
check stacks evil --by stack
check caches evil --by cache
check comms evil --by comm
limited=yes check sites good --top 2
"$MKTAPE" "$KMT_TESTS/golden/spaces-are-never-mixed.script" -o spaces && check sites spaces
"$MKTAPE" "$KMT_TESTS/golden/pairs-of-functions.script" -o pairs && check sites pairs
"$MKTAPE" "$KMT_TESTS/golden/an-empty-tape.script" -o empty && check sites empty

"$KMEMTAPE" replay --format ndjson good | jq -e 'select(.host != "host1" or .kernel != "6.18.0" or .started_at != "2023-11-14T22:13:20Z" or .tape != "good")' &&
	fail "a line doesn't say where it is from"
"$KMEMTAPE" replay --by stack --format csv good | grep -qF ',"do_syscall_64;caller;in_mod [mod]",' || fail "no stacks"

# What the manual has for a fleet, also where objects have no size.
mkdir host1 host2
cp -r good host1/a.tape && cp -r good host1/b.tape && cp -r good host2/a.tape && cp -r pairs host2/b.tape
sed -i 's/"host1"/"host2"/' host2/a.tape/manifest.json
{
	echo 'kmemtape() { "$KMEMTAPE" "$@"; }'
	sed -n 's/^\$ \(for tape .* ndjson .*\)/\1/;T;:a;p;n;/^```/q;ba' "$KMT_TESTS/../tools/man/kmemtape-formats.7.scd"
} >fleet
bash fleet >said 2>err || fail "the manual's example: $(cat err)"
jq -ce 'map(select(.symbol == "leak+0x40")) == [{symbol: "leak+0x40", bytes: (3 * 79 * 128), hosts: 2}]' said >/dev/null || fail "the manual's example: $(cat fleet said)"

# Names that a spreadsheet would run.
for name in "=1+1" "+cmd" "@sum(1)" "-2"; do
	sed "s/^symbol ffffffff81010000 T leak/symbol ffffffff81010000 T $name/; s/name=cache/name=$name/" good.script >formula.script
	rm -rf formula
	"$MKTAPE" formula.script -o formula || fail "$name: no tape"
	"$KMEMTAPE" replay --format csv formula >rows.csv
	[ "$(grep -oF "\"'$name" rows.csv | wc -l)" -eq 3 ] || fail "$name: $(cat rows.csv)"
	grep -qF ",\"$name" rows.csv && fail "$name is a formula"
done

same_for_any_threads csv
same_for_any_threads ndjson
exit $failed
