#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: A second kmemtape at the same time, also one in another pid namespace.
# Promise: Neither disturbs the other; both tapes are closed. Exit 0.
. "$(dirname "$0")/lib.sh"

start_recorder -q -o "$WORK/first.tape" --settle 0
"$KMEMTAPE" record -q -o "$WORK/second.tape" -d 100ms --settle 0 || fail "second: exit status $?"
is_recording $RECORDER || fail "the second removed the first's instance"

# In a pid namespace of its own, the third takes the first for dead: the kernel must refuse.
if unshare --pid --fork --mount-proc true 2>/dev/null; then
	unshare --pid --fork --mount-proc "$KMEMTAPE" record -q -o "$WORK/third.tape" -d 100ms \
		--settle 0 || fail "third: exit status $?"
	is_recording $RECORDER || fail "the third removed the first's instance"

	# Both are pid 1, each in its own.
	unshare --pid --fork --kill-child --mount-proc "$KMEMTAPE" record -q -o "$WORK/fourth.tape" --settle 0 2>"$WORK/fourth.log" &
	fourth=$!
	clean_up_more() { kill -KILL $fourth 2>/dev/null; } # and its recorder with it
	until_true 20 is_recording 1 || fail "the fourth doesn't start: $(cat "$WORK/fourth.log")"
	unshare --pid --fork --mount-proc "$KMEMTAPE" record -q -o "$WORK/fifth.tape" -d 100ms --settle 0 2>"$WORK/fifth.log" &&
		fail "a fifth records in the fourth's instance"
	expect_line "$WORK/fifth.log" "another recorder's"
	kill -INT "$(pgrep -P $fourth)"
	clean_up_more() { :; }
	wait $fourth || fail "fourth: exit status $?: $(cat "$WORK/fourth.log")"
	[ ! -s "$WORK/fourth.log" ] || fail "the fourth was disturbed: $(cat "$WORK/fourth.log")"
	is_closed "$WORK/fourth.tape" || fail "the fourth's tape isn't closed"
fi
end_recorder INT
[ $STATUS = 0 ] || fail "first: exit status $STATUS: $(cat "$WORK/log")"
is_closed "$WORK/first.tape" || fail "the first's tape isn't closed"
