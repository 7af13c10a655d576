#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# `replay --format pprof` is a heap profile for `go tool pprof`: its sums are those of the JSON report, with stacks, mappings,
# build-ids, labels and remarks.
. "$(dirname "$0")/lib.sh"
need go
export HOME=$dir PPROF_TMPDIR=$dir
"$KMEMTAPE" replay --help | grep -q '^ *pprof' || {
	echo "built without zlib"
	exit 77
}

# Usage: raw ARG...: what pprof has read of 'kmemtape replay ARG...'
raw() {
	"$KMEMTAPE" replay --format pprof -o profile.pb.gz "$@" || fail "replay $*: exit $?"
	go tool pprof -raw profile.pb.gz 2>err >raw || fail "$*: pprof can't read it: $(cat err)"
}

# Usage: sum COLUMN: of the samples in raw
sum() {
	awk -v column="$1" '/^Locations/ { exit } /^ *[0-9]+ +[0-9]+ +[0-9]+ +[0-9]+: / { gsub(":", ""); sum += $column } END { print sum + 0 }' raw
}

# Usage: has TEXT: a line of raw has it
has() {
	grep -qF -- "$1" raw || fail "$tape: no '$1' in $(cat -v raw)"
}

for tape in good evil; do
	raw $tape
	[ "$(sum 1)" = "$(total allocs $tape)" ] || fail "$tape: alloc_objects $(sum 1)"
	[ "$(sum 2)" = "$(total alloc_bytes $tape)" ] || fail "$tape: alloc_space $(sum 2)"
	[ "$(sum 3)" = "$(total live_objects $tape)" ] || fail "$tape: inuse_objects $(sum 3)"
	[ "$(sum 4)" = "$(total live_bytes $tape)" ] || fail "$tape: inuse_space $(sum 4)"
	[ "$(sum 4)" = "$(jq .matching.live_bytes $tape.json)" ] || fail "$tape: not what is live"
	has "alloc_objects/count alloc_space/bytes inuse_objects/count inuse_space/bytes[dflt]"
	has "1111000000000000000000000000000000001111 [FN]"
	has "22220000000000000000000000000000deadbeef [FN]"
	LC_ALL=C grep -q $'[\x01-\x08\x0b-\x1f\x7f]' raw && fail "$tape: raw control characters"
done
[ "$(total alloc_bytes)" = $((79 * (128 + 192 + 4096))) ] || fail "alloc_bytes is $(total alloc_bytes)"
has 'cache:[cache\x1b[31m'
has 'host:[host1\x1b[31m'

tape=good
raw good
has 'cache:[cache] host:[host1] kernel:[6.18.0] module:[mod] space:[slab]'
# It is of the end, and without a duration: Parca would show what is live as bytes per second.
has 'Comment: recorded for 90.0 s'
grep -q '^Duration' raw && fail "it has a duration: $(cat raw)"
has "Comment: $(jq -r .verdict.headline good.json)"
has "Comment: lost events: 0"
# Stacks: the site first, then who called it.
awk '/^Locations/ { on = 1 } on && / in_mod | leak | caller | do_syscall_64 / { print $1 $2 " " $3 " " $4 }' raw >locations
grep -q 'M=2 in_mod' locations && grep -q 'M=1 leak' locations || fail "mappings: $(cat locations raw)"
go tool pprof -peek '^caller$' profile.pb.gz 2>/dev/null >peek
grep -q 'do_syscall_64' peek && grep -q 'in_mod' peek && grep -q 'leak' peek || fail "no stacks: $(cat peek)"
go tool pprof -top profile.pb.gz 2>/dev/null >top
TZ=UTC go tool pprof -top profile.pb.gz 2>/dev/null | grep -q 'Time: Nov 14, 2023 at 10:14pm (UTC)' || fail "time: $(cat top)"
grep -qE '^ *[0-9.]+kB +[0-9.]+% .* other$' top || fail "top: $(cat top)"
go tool pprof -tagfocus=cache=^cache$ -top profile.pb.gz 2>/dev/null | grep -q in_mod || fail "no focus on a cache"
# Two hosts' profiles in one can be told apart.
"$KMEMTAPE" replay --format pprof evil >evil.pb.gz
go tool pprof -tagfocus='host=^host1$' -top profile.pb.gz evil.pb.gz >top 2>/dev/null
sed -n '/^Showing/,$p' top | grep -q 'x1b' && fail "host1 alone: $(cat top)"
grep -q 'in_mod$' top || fail "host1 alone: $(cat top)"

# What replay is asked for.
raw --top 1 good
[ "$(sum 4)" = "$("$KMEMTAPE" replay --by stack --top 1 --format json good | jq '[.stacks[].live_bytes] | add')" ] || fail "--top 1: $(sum 4)"
has 'Comment: left out: 2 rows with 89.9 KiB, behind the first 1 that --top asked for'
raw --by cache good
[ "$(sum 4)" = "$(total live_bytes)" ] || fail "--by cache: $(sum 4)"
has " kmalloc-4k :0"
raw --by site good
grep -q ' caller ' raw && fail "--by site has stacks"
raw --older 60s good
[ "$(sum 4)" = "$("$KMEMTAPE" replay --older 60s --format json good | jq .matching.live_bytes)" ] || fail "--older: $(sum 4)"

# A tape without stacks, and one whose pages are other spaces' memory.
"$MKTAPE" "$KMT_TESTS/golden/by-module.script" -o plain && raw plain
[ "$(sum 4)" = "$("$KMEMTAPE" replay --format json plain | jq .matching.live_bytes)" ] || fail "without stacks: $(sum 4)"
"$MKTAPE" "$KMT_TESTS/golden/spaces-are-never-mixed.script" -o spaces && raw spaces
[ "$(sum 4)" = "$("$KMEMTAPE" replay --format json spaces | jq .matching.live_bytes)" ] || fail "spaces: $(sum 4)"
has "Comment: left out: 8.00 KiB of pages"
"$MKTAPE" "$KMT_TESTS/golden/an-empty-tape.script" -o empty && raw empty
[ "$(sum 4)" = 0 ] || fail "nothing: $(sum 4)"

# What the manual has for Pyroscope, which takes the body for the profile, whatever else is said of it.
cat >take.py <<'END'
import http.server
class Pyroscope(http.server.BaseHTTPRequestHandler):
	def do_POST(self):
		open("pushed", "wb").write(self.rfile.read(int(self.headers["Content-Length"])))
		self.send_response(200 if self.path == "/ingest?format=pprof&name=kernel" else 400)
		self.end_headers()
server = http.server.HTTPServer(("127.0.0.1", 0), Pyroscope)
print(server.server_port, flush=True)
server.timeout = 60
server.handle_request()
END
if command -v curl >/dev/null; then
	mkdir web1 && mv good web1/good.tape
	coproc python3 take.py 2>take.err
	read -r port <&"${COPROC[0]}"
	{
		echo 'kmemtape() { "$KMEMTAPE" "$@"; }'
		sed -n '/^# A FLEET/,$p' "$KMT_TESTS/../tools/man/kmemtape-formats.7.scd" | sed -n '/^\$ for tape/,/^  done$/p' |
			sed "s/^\\$ //; s|http://pyroscope:4040|http://127.0.0.1:$port|"
	} >push
	bash push >said 2>&1 || fail "what the manual has for Pyroscope: $(cat push said take.err)"
	go tool pprof -raw pushed >raw 2>err && [ "$(sum 4)" = "$(jq .matching.live_bytes good.json)" ] ||
		fail "what the manual has for Pyroscope doesn't reach it: $(cat err)"
	mv web1/good.tape good
fi

# Binary is nothing for a terminal; explanations and tables are no profiles.
script -qec "\"$KMEMTAPE\" replay --format pprof good" /dev/null </dev/null >said 2>&1
[ $? -eq 2 ] && grep -q 'pprof is nothing for a terminal: name a file with -o FILE' said || fail "on a terminal: $(cat -v said)"
for option in "--explain leak" "--interval 1s"; do
	"$KMEMTAPE" replay --format pprof $option good >out 2>err
	[ $? -eq 2 ] && grep -q 'pprof has only rows' err || fail "$option: $(cat err)"
done
same_for_any_threads pprof
exit $failed
