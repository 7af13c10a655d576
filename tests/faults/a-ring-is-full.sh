#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: More is recorded than --max-size --ring may keep; the recorder is killed then.
# Promise: Never more than that on the disk. The newest is kept, from where all CPUs have it on; without a closed manifest, too.
. "$(dirname "$0")/lib.sh"

LOADS=
clean_up_more()
{
	# shellcheck disable=SC2086 # several
	[ -z "$LOADS" ] || kill $LOADS 2>/dev/null
}

start_recorder -q -o "$WORK/r.tape" --max-size 16M --ring --settle 0 --snapshot-interval 200ms
for cpu in 0 1; do
	(while :; do taskset -c $cpu ls -lR /proc/self /sys/kernel /usr/share/doc; done >/dev/null 2>&1) &
	LOADS="$LOADS $!"
done

bytes()
{
	cat "$WORK"/r.tape/cpu/*.zst "$WORK"/r.tape/snapshots*.zst 2>/dev/null | wc -c
}

most=0
has_dropped()
{
	now=$(bytes)
	[ "$now" -le "$most" ] || most=$now
	! ls "$WORK"/r.tape/cpu/000[01].zst
}
until_true 120 has_dropped || fail "nothing is dropped: $(ls -l "$WORK/r.tape/cpu")"
for i in 1 2 3 4 5 6 7 8 9 10; do
	has_dropped
	sleep 0.1
done

# What SIGKILL would leave.
kill -STOP "$RECORDER"
sleep 0.1
cp -r "$WORK/r.tape" "$WORK/killed.tape"
kill -CONT "$RECORDER"
end_recorder INT
[ $STATUS = 0 ] || fail "exit status $STATUS: $(cat "$WORK/log")"
[ "$most" -le $((16 << 20)) ] || fail "$most bytes were there of 16 MiB"
[ "$most" -gt $((8 << 20)) ] || fail "only $most bytes were kept of 16 MiB"

"$KMEMTAPE" verify "$WORK/r.tape" >"$WORK/verify" || fail "verify: $(cat "$WORK/verify")"
for file in "$WORK"/r.tape/cpu/*.zst; do
	zstd -qt "$file" || fail "$file is damaged"
done
for tape in r killed; do
	"$KMEMTAPE" replay --format json "$WORK/$tape.tape" >"$WORK/json" || fail "$tape: replay: exit status $?"
	jq -e '.notes | map(select(startswith("the newest "))) | length == 1' "$WORK/json" >/dev/null ||
		fail "$tape: replay doesn't say that it isn't all: $(jq -c .notes "$WORK/json")"
	[ "$(jq .events.lost "$WORK/json")" = 0 ] || fail "$tape: lost: $(jq -c .events "$WORK/json")"
	[ "$(jq .events.total "$WORK/json")" -gt 1000 ] || fail "$tape: hardly an event"
	[ "$(jq .tape.start_ns "$WORK/json")" -gt "$(jq .time.allocs_on_ns "$WORK/r.tape/manifest.json")" ] ||
		fail "$tape: it begins when the recording began"
	jq -c '.notes, .tape, .events' "$WORK/json"
done
