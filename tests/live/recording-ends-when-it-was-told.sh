#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# --duration, --max-size, and the end of COMMAND each end a recording.
. "$(dirname "$0")/lib.sh"

ms() { echo $(($(date +%s%N) / 1000000)); }

# field NAME: a number of manifest.json
field() { sed -n "s/.*\"$2\": *\([0-9]*\).*/\1/p" "$1/manifest.json"; }

"$KMEMTAPE" record -q -o "$WORK/time.tape" -d 1500ms --settle 300ms || fail "-d: exit status $?"
took=$((($(field "$WORK/time.tape" allocs_off_ns) - $(field "$WORK/time.tape" allocs_on_ns)) / 1000000))
[ $took -ge 1500 ] && [ $took -lt 30000 ] || fail "-d 1500ms recorded $took ms"
settled=$((($(field "$WORK/time.tape" end_ns) - $(field "$WORK/time.tape" allocs_off_ns)) / 1000000))
[ $settled -ge 300 ] && [ $settled -lt 30000 ] || fail "--settle 300ms settled $settled ms"

# Plenty of pipes: each is some events.
busy() { while :; do echo | cat; done >/dev/null; }
busy &
load=$!
clean_up_more() { kill $load 2>/dev/null; }
timeout 120 "$KMEMTAPE" record -q -o "$WORK/size.tape" --max-size 1M --settle 0 ||
	fail "--max-size: exit status $?"
kill $load
bytes=$(cat "$WORK"/size.tape/cpu/*.zst "$WORK/size.tape/snapshots.zst" | wc -c)
[ "$bytes" -ge 1048576 ] || fail "--max-size 1M ended at $bytes bytes"
[ "$bytes" -lt 8388608 ] || fail "--max-size 1M went on to $bytes bytes"
is_closed "$WORK/size.tape" || fail "--max-size: not closed"

start=$(ms)
"$KMEMTAPE" record -q -o "$WORK/command.tape" --settle 0 -- true || fail "true: exit status $?"
[ $(($(ms) - start)) -lt 50000 ] || fail "it didn't end with the command"

# A second Ctrl-C ends the settling.
start_recorder -q -o "$WORK/settle.tape" --settle 200s
kill -INT "$RECORDER"
until_true 20 grep -q 0 "$TRACEFS/instances/kmemtape-$RECORDER/events/kmem/kmem_cache_alloc/enable" ||
	fail "allocations stay on after SIGINT"
grep -q 1 "$TRACEFS/instances/kmemtape-$RECORDER/events/kmem/kfree/enable" ||
	fail "frees are off while it settles"
start=$(ms)
end_recorder INT
[ $(($(ms) - start)) -lt 100000 ] || fail "the second SIGINT didn't end the settling"
[ $STATUS = 0 ] || fail "settle: exit status $STATUS"
is_closed "$WORK/settle.tape" || fail "settle: not closed"
