#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: The OOM killer kills the recorder, out of a cgroup that is full.
# Promise: The janitor is spared, and cleans tracefs at once; all but about the last second replays, as incomplete.
. "$(dirname "$0")/lib.sh"

make_cgroup oom
clean_up_more() { remove_cgroup; }
state >"$WORK/before"
echo $((512 << 20)) >"$LIMIT"
start_recorder_in_cgroup -q -o "$WORK/a.tape"
killed=$RECORDER
for _ in 1 2; do
	expect_growth "$WORK"/a.tape/cpu/*.zst
done
echo 1000 >"/proc/$RECORDER/oom_score_adj"
# Without an end of line, tail(1) keeps all of it.
sh -c 'echo $$ >"$1/cgroup.procs" && exec tail /dev/zero' sh "$CGROUP" >/dev/null 2>&1 &
hog=$!
wait "$RECORDER"
status=$?
RECORDER=
[ $status = 137 ] || fail "the recorder was not killed: exit status $status: $(cat "$WORK/log")"
expect_clean "$killed" "$WORK/before" "after the OOM killer"
kill -KILL $hog 2>/dev/null
expect_incomplete "$WORK/a.tape"
[ "$(jq .events.allocs "$WORK/judged")" -gt 0 ] || fail "nothing of it was kept"
