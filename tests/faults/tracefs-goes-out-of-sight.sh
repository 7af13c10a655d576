#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: tracefs is unmounted while recording, or something else is mounted over it.
# Promise: The recording goes on, and is complete; its instance goes all the same, also after SIGKILL. Exit 0.
. "$(dirname "$0")/lib.sh"

# Usage: hide NAME COMMAND: in a mount namespace of the recorder's own, so that nobody else is hit
hide()
{
	start_recorder_apart -q -o "$WORK/$1.tape" --settle 0
	nsenter -t "$RECORDER" -m sh -c "$2" || skip "can't $2"
	nsenter -t "$RECORDER" -m test ! -e "$TRACEFS/instances" || fail "tracefs is still in sight after $2"
	# The recorder looks at its instance each second.
	sleep 1.5
}

# Usage: start_recorder_apart ARG...: start_recorder, in a mount namespace of its own
start_recorder_apart()
{
	unshare -m --propagation private "$KMEMTAPE" record "$@" 2>"$WORK/log" &
	RECORDER=$!
	until_true 20 is_recording $RECORDER || fail "it doesn't start: $(cat "$WORK/log")"
}

command -v unshare >/dev/null && command -v nsenter >/dev/null || skip "needs unshare and nsenter"
unshare -m true 2>/dev/null || skip "no mount namespaces here"

state >"$WORK/before"
unmount="while umount -l $TRACEFS 2>/dev/null; do :; done"
for way in "unmounted $unmount" "covered mount -t tmpfs none $TRACEFS"; do
	name=${way%% *}
	hide "$name" "${way#* }"
	recorder=$RECORDER
	end_recorder INT
	[ $STATUS = 0 ] && [ ! -s "$WORK/log" ] || fail "$name: exit status $STATUS: $(cat "$WORK/log")"
	expect_clean "$recorder" "$WORK/before" "after it was $name"
	expect_closed "$WORK/$name.tape"
	[ "$(jq .events.losses "$WORK/judged")" = 0 ] || fail "$name: the report knows of a loss"
done

hide killed "$unmount"
recorder=$RECORDER
kill -KILL "$RECORDER"
wait "$RECORDER" 2>/dev/null
RECORDER=
expect_clean "$recorder" "$WORK/before" "after SIGKILL"
