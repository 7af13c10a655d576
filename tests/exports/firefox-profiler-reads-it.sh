#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# `replay --format firefox` and `folded` are opened by the Firefox profiler's own code: its sums are those of the JSON report, by
# stack, and by when it was allocated.
. "$(dirname "$0")/lib.sh"
need node
profiler=$KMT_TESTS/exports/node_modules/@firefox-devtools/profiler-cli/dist/profiler-cli.js
[ -f "$profiler" ] || {
	echo "no Firefox profiler here: npm ci --ignore-scripts in tests/exports"
	exit 77
}
export HOME=$dir
trap 'node "$profiler" stop --all >/dev/null 2>&1; rm -rf "$dir"' EXIT

# Usage: open FILE: as the session FILE
open() {
	local i
	node "$profiler" load "$1" --session "$1" >said 2>&1 && return
	# It gives its server half a second to start, which goes on with that.
	for ((i = 0; i < 100; i++)); do
		node "$profiler" thread list --session "$1" >/dev/null 2>&1 && return
		sleep 0.1
	done
	fail "$1: $(cat said)"
}

# Usage: functions FILE ARG...: what the profiler shows of it, to functions.json
functions() {
	local file=$1
	shift
	node "$profiler" thread functions --limit 0 --json --session "$file" "$@" >functions.json 2>said || fail "$file: $(cat said)"
}

# Usage: self: the sum over all functions of what is their own
self() {
	jq '[.functions[].selfSamples] | add' functions.json
}

# Usage: shows NAME KEY VALUE
shows() {
	[ "$(jq --arg name "$1" ".functions[] | select(.nameWithLibrary == \$name) | .$2" functions.json)" = "$3" ] ||
		fail "$1: $2 is not $3: $(jq -c '.functions[] | [.nameWithLibrary, .selfSamples, .totalSamples]' functions.json)"
}

for tape in good evil; do
	"$KMEMTAPE" replay --format firefox -o $tape.firefox $tape || fail "$tape: exit $?"
	open $tape.firefox
	functions $tape.firefox --thread t-0
	[ "$(self)" = "$(jq .matching.live_bytes $tape.json)" ] || fail "$tape: $(self) bytes"
	[ "$(jq -r .weightType functions.json)" = bytes ] || fail "$tape: not bytes"
	functions $tape.firefox --thread t-1
	[ "$(self)" = "$(total live_objects $tape)" ] || fail "$tape: $(self) objects"

	"$KMEMTAPE" replay --format folded $tape >$tape.folded || fail "$tape: folded: exit $?"
	awk '{ sum += $NF } NF < 2 { bad = 1 } END { print sum; exit bad }' $tape.folded >sum || fail "$tape: $(cat -v $tape.folded)"
	[ "$(cat sum)" = "$(jq .matching.live_bytes $tape.json)" ] || fail "$tape: folded: $(cat sum)"
	[ "$(wc -l <$tape.folded)" -eq 3 ] || fail "$tape: lines: $(cat -v $tape.folded)"
	LC_ALL=C grep -q $'[\x01-\x09\x0b-\x1f\x7f]' $tape.folded && fail "$tape: raw control characters"
	open $tape.folded
	functions $tape.folded
	[ "$(self)" = "$(jq .matching.live_bytes $tape.json)" ] || fail "$tape: folded: $(self) bytes"
done
# The names have no separators in them.
awk -F';' '/caller/ && NF != 3 || !/caller/ && NF != 2 { exit 1 }' evil.folded || fail "$(cat -v evil.folded)"

functions good.firefox --thread t-0
shows 'mod!in_mod' selfSamples 15168
shows 'vmlinux!caller' totalSamples $((15168 + 79 * 128))
shows 'vmlinux!caller' selfSamples 0
shows 'vmlinux!other' totalSamples 81920
functions good.folded
shows 'in_mod [mod]' selfSamples 15168
shows '[vmlinux]' totalSamples 81920
diff <(sort good.folded) - <<'END' || fail "good.folded"
[vmlinux];other 81920
do_syscall_64;caller;in_mod [mod] 15168
do_syscall_64;caller;leak 10112
END

# A range of time has what was allocated in it and is live.
node "$profiler" zoom push 10,50 --session good.firefox >said 2>&1 || fail "zoom: $(cat said)"
functions good.firefox --thread t-1
objects=$(self)
[ "$objects" -gt 60 ] && [ "$objects" -lt 110 ] || fail "from 10 s to 50 s $objects objects of $(total live_objects)"
node "$profiler" zoom clear --session good.firefox >said 2>&1
# And all of it over time.
node "$profiler" counter list --json --session good.firefox >counters.json
[ "$(jq '.counters | length' counters.json)" = 1 ] && [ "$(jq '.counters[0].rangeSampleCount > 20' counters.json)" = true ] || fail "$(cat counters.json)"
node "$profiler" profile meta --json --session good.firefox >meta.json
jq -e '.startTimeFormatted == "2023-11-14T22:13:20.000Z" and .durationMs > 89000 and any(.extra[].entries[]; .value == "lost events: 0")' meta.json >/dev/null ||
	fail "$(cat meta.json)"

# What replay is asked for.
"$KMEMTAPE" replay --format firefox --top 1 -o top.firefox good && open top.firefox && functions top.firefox --thread t-0
[ "$(self)" = 15168 ] || fail "--top 1: $(self)"
"$KMEMTAPE" replay --format folded --by cache good | sort | diff - <(printf 'cache 15168\nkmalloc-128 10112\nkmalloc-4k 81920\n') || fail "--by cache"
"$MKTAPE" "$KMT_TESTS/golden/an-empty-tape.script" -o empty
"$KMEMTAPE" replay --format folded -o empty.folded empty && [ -e empty.folded ] && [ ! -s empty.folded ] || fail "empty"

# A loss is told, if not in the file.
"$MKTAPE" "$KMT_TESTS/golden/a-loss-makes-older-objects-uncertain.script" -o lossy
"$KMEMTAPE" replay --format folded lossy >out 2>err
grep -qE '^kmemtape replay: lossy: [0-9]+ events lost: folded has no place to say so$' err || fail "a loss is not told: $(cat err)"
"$KMEMTAPE" replay --format firefox lossy | grep -qE '"lost events: [1-9][0-9]* in 1 places' || fail "a loss is not told"

same_for_any_threads folded
same_for_any_threads firefox
exit $failed
