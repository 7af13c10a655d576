#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Whatever ends a recording, tracefs is as before; after SIGKILL of all of it, it is so with the next run.
. "$(dirname "$0")/lib.sh"

expect_same_tracefs()
{
	tracefs_state >"$WORK/after"
	diff "$WORK/before" "$WORK/after" || fail "tracefs differs after $1"
}

tracefs_state >"$WORK/before"

"$KMEMTAPE" record -q -o "$WORK/time.tape" -d 200ms --settle 0 || fail "exit status $?"
expect_same_tracefs "the end of the time"

for signal in INT TERM HUP QUIT; do
	start_recorder -q -o "$WORK/$signal.tape" --settle 0
	tracefs_state | diff -q "$WORK/before" - >/dev/null && fail "this test can't see an instance"
	end_recorder $signal
	[ $STATUS = 0 ] || fail "SIG$signal: exit status $STATUS: $(cat "$WORK/log")"
	is_closed "$WORK/$signal.tape" || fail "SIG$signal: the tape isn't closed"
	expect_same_tracefs "SIG$signal"
done

"$KMEMTAPE" record -q -o "$WORK/failed.tape" -- /nonexistent 2>/dev/null && fail "ran /nonexistent"
expect_same_tracefs "a command that can't be run"

more=(--stack --sample 1/8 --min-size 64 -e)
has_events vmalloc/alloc_vmap_area percpu/percpu_alloc_percpu && more+=(all) || more+=(slab,page)
"$KMEMTAPE" record -q -o "$WORK/more.tape" -d 200ms --settle 0 "${more[@]}" || fail "${more[*]}: exit status $?"
expect_same_tracefs "stacks, samples and filters"

start_recorder -q -o "$WORK/killed.tape" "${more[@]}"
killed=$RECORDER
kill -KILL "$(janitor)"
end_recorder KILL
[ -d "$TRACEFS/instances/kmemtape-$killed" ] || fail "SIGKILL left no instance: nothing to test"
grep -q stacktrace "$TRACEFS/instances/kmemtape-$killed/events/kmem/kmalloc/trigger" ||
	fail "SIGKILL left no trigger: nothing to test"
"$KMEMTAPE" record -o "$WORK/next.tape" -d 100ms --settle 0 2>"$WORK/log" || fail "next run: $?"
grep -q "kmemtape-$killed" "$WORK/log" || fail "the removal wasn't told: $(cat "$WORK/log")"
expect_same_tracefs "SIGKILL and the next run"

# Somebody looks into the instance: the kernel keeps it, which is told, and the next run removes it.
start_recorder -q -o "$WORK/watched.tape" --settle 0 "${more[@]}"
watched=kmemtape-$RECORDER
exec 9<"$TRACEFS/instances/$watched/trace"
end_recorder INT
[ $STATUS = 0 ] || fail "watched: exit status $STATUS: $(cat "$WORK/log")"
expect_line "$WORK/log" "the tracefs instance $watched, switched off, stays"
grep -q stacktrace: "$TRACEFS/instances/$watched"/events/kmem/*/trigger && fail "it has triggers left"
[ "$(cat "$TRACEFS/instances/$watched/events/enable")" = 0 ] || fail "it has events on"
exec 9<&-
"$KMEMTAPE" record -q -o "$WORK/after.tape" -d 100ms --settle 0 2>"$WORK/log" || fail "after watched: $?"
expect_same_tracefs "somebody's look and the next run"
