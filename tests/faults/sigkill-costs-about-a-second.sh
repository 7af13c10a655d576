#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: The recorder is killed (SIGKILL).
# Promise: All but about the last second of each CPU replays, as incomplete. A janitor cleans tracefs at once.
. "$(dirname "$0")/lib.sh"

command -v zstd >/dev/null || skip "needs zstd"

state >"$WORK/before"
start_recorder -q -o "$WORK/a.tape" --stack
killed=$RECORDER
# Chunks and marks are written each second.
SECONDS=0
while [ $SECONDS -lt 5 ]; do
	expect_growth "$WORK"/a.tape/cpu/*.zst
done
end_recorder KILL
expect_clean "$killed" "$WORK/before" "after SIGKILL"
expect_incomplete "$WORK/a.tape"
for file in "$WORK"/a.tape/cpu/*.zst; do
	[ "$(zstd -dc "$file" | wc -c)" -gt 0 ] || fail "$file: nothing in it"
done
duration=$(jq .tape.duration_ns "$WORK/judged")
[ "$duration" -gt 1500000000 ] || fail "of 4 s and more, only $duration ns are on all CPUs"

# Who reads what it writes sees the end.
mkfifo "$WORK/pipe"
timeout 60 cat "$WORK/pipe" >"$WORK/read" &
reader=$!
exec 9>"$WORK/pipe"
"$KMEMTAPE" record -q -o "$WORK/b.tape" -- sh -c 'exec sleep 60 >/dev/null 2>&1' >&9 2>&1 9>&- &
RECORDER=$!
exec 9>&-
until_true 20 is_recording $RECORDER || fail "it doesn't start: $(cat "$WORK/read")"
killed=$RECORDER
sleeper=$(pgrep -P "$RECORDER" -x sleep)
end_recorder KILL
wait $reader || fail "somebody keeps the recorder's stdout or stderr open"
kill "$sleeper"
expect_clean "$killed" "$WORK/before" "after SIGKILL with a command"
