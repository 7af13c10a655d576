#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Each export of a tape has the live bytes of its JSON report, whatever is on the tape: memory of all spaces, a sample, losses, no
# stacks, nothing; and each says what makes them doubtful.
. "$(dirname "$0")/lib.sh"

cat >sums.py <<'END'
import csv, gzip, json, os, re, subprocess, sys
tape, options = sys.argv[1], sys.argv[2:]

def export(name, *more):
	run = subprocess.run([os.environ["KMEMTAPE"], "replay", "--format", name, *options, *more, tape], capture_output=True)
	assert run.returncode == 0, (name, run.stderr)
	return run.stdout, run.stderr.decode()

def varint(data, at):
	n = shift = 0
	while True:
		n |= (data[at] & 127) << shift
		shift, at = shift + 7, at + 1
		if data[at - 1] < 128:
			return n, at

# The fields of a message of protocol buffers, each a list.
def fields(data):
	found, at = {}, 0
	while at < len(data):
		tag, at = varint(data, at)
		n, at = varint(data, at)
		if tag & 7 == 2:
			n, at = data[at:at + n], at + n
		found.setdefault(tag >> 3, []).append(n)
	return found

def numbers(packed):
	at, all = 0, []
	while at < len(packed):
		n, at = varint(packed, at)
		all.append(n)
	return all

report = json.loads(export("json")[0])
wanted, events, whole = report["matching"]["live_bytes"], report["events"], report["tape"]["complete"]
doubts = [str(n) for n in (report["tape"]["sample"], events["lost"], events["losses"], int(whole))]
sampled = report["tape"]["sample"] > 1

# Of formats that have them as numbers, and of those that have words.
def tells(name, sum, numbers):
	assert sum == wanted, (name, sum, wanted)
	assert not numbers or numbers == doubts, (name, numbers, doubts)

def says(name, sum, words):
	assert sum == wanted, (name, sum, wanted)
	assert ("a sample" in words) == sampled, (name, "sample", words)
	assert not events["losses"] or str(events["lost"]) in words, (name, "lost", words)
	assert whole or "not complete" in words, (name, "not complete", words)

out, err = export("folded")
says("folded", sum(int(line.rpartition(b" ")[2]) for line in out.splitlines()), err)
out = json.loads(export("speedscope")[0])
says("speedscope", sum(out["profiles"][0]["weights"]), out["name"])
out = json.loads(export("firefox")[0])
says("firefox", sum(out["threads"][0]["samples"]["weight"]), str(out["meta"]["extra"]))

rows = list(csv.DictReader(export("csv")[0].decode().splitlines()))
tells("csv", sum(int(row["live_bytes"]) for row in rows if row["counted"] == "1"),
      rows and [rows[0][key] for key in ("sample", "lost", "losses", "complete")])
rows = [json.loads(line) for line in export("ndjson")[0].splitlines()]
tells("ndjson", sum(row["live_bytes"] for row in rows if row.get("counted")),
      rows and [str(int(rows[0][key])) for key in ("sample", "lost", "losses", "complete")])
for top in "0", "1":
	text = export("openmetrics", "--top", top)[0].decode()
	found = dict(re.findall(r"(?m)^kmemtape_(\S+) (\S+)$", text))
	tells("openmetrics", sum(int(float(n)) for n in re.findall(r"(?m)^kmemtape_[a-z]+_live_bytes(?:\{.*\})? (\S+)$", text)),
	      [found[key] for key in ("recording_sample", "lost_events", "losses", "recording_complete")])
	assert int(found["live_bytes"]) == wanted

packets = [fields(packet) for packet in fields(export("perfetto")[0])[1]]
heap, = [fields(packet[37][0]) for packet in packets if 37 in packet]
samples = [fields(sample) for sample in fields(heap[5][0]).get(2, [])]
says("perfetto", sum(sample[2][0] - sample[3][0] for sample in samples),
     str([fields(packet[11][0]).get(23) for packet in packets if 11 in packet]))
if not os.environ.get("NO_PPROF"):
	profile = fields(gzip.decompress(export("pprof")[0]))
	says("pprof", sum(numbers(fields(sample)[2][0])[3] for sample in profile.get(2, [])), str([profile[6][n] for n in profile[13]]))
END
"$KMEMTAPE" replay --help | grep -q '^ *pprof' || export NO_PPROF=yes

# Usage: check TAPE ARG...
check() {
	python3 sums.py "$@" 2>err || fail "$*: $(tail -n 1 err | cut -c 1-2000)"
}

check evil
check evil --older 60s --by pid
nr=0
for script in spaces-are-never-mixed all-spaces-of-a-big-endian-kernel large-objects-are-always-in-the-sample \
	a-loss-makes-older-objects-uncertain pairs-of-functions; do
	nr=$((nr + 1))
	"$MKTAPE" "$KMT_TESTS/golden/$script.script" -o $nr && check $nr
done
# Cut off, as by a crash.
sed 's/^closed yes/closed no/' good.script >cut.script
"$MKTAPE" cut.script -o cut && "$KMEMTAPE" replay --format json cut | jq -e '.tape.complete == false' >/dev/null || fail "it is complete"
check cut
exit $failed
