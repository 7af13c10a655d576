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
fi
end_recorder INT
[ $STATUS = 0 ] || fail "first: exit status $STATUS: $(cat "$WORK/log")"
is_closed "$WORK/first.tape" || fail "the first's tape isn't closed"
