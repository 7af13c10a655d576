# SPDX-License-Identifier: GPL-2.0-only
# Sourced by the tests of disks, instead of lib.sh: a disk that fails when told, at $DISK (see faultfs.c), and somebody who
# keeps both CPUs allocating.
# shellcheck source=tests/faults/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

: "${FAULTFS:=}"
[ -n "$FAULTFS" ] && [ -x "$FAULTFS" ] || skip "needs faultfs, and that libfuse3, to be built"
[ -c /dev/fuse ] && : 2>/dev/null </dev/fuse || skip "/dev/fuse can't be opened here"

DISK=$WORK/disk
BACKING=$WORK/backing
AFTERMATH=$WORK/aftermath
TAPE=$DISK/a.tape
LOAD=
DISK_SERVER=

# open_disk: a new one, with nothing on it
open_disk()
{
	mkdir "$DISK" "$BACKING" "$AFTERMATH"
	mount -t tmpfs -o size=400m kmemtape-test "$BACKING" 2>/dev/null || skip "can't mount a tmpfs"
	"$FAULTFS" "$BACKING" "$DISK" "$AFTERMATH" 2>"$WORK/faultfs.log" &
	DISK_SERVER=$!
	until_true 10 test -e "$DISK/.faultfs" || skip "no FUSE here: $(cat "$WORK/faultfs.log")"
}

close_disk()
{
	[ -n "$DISK_SERVER" ] || return 0
	umount -l "$DISK"
	wait $DISK_SERVER
	DISK_SERVER=
	umount -l "$BACKING"
	rm -rf "$DISK" "$BACKING" "$AFTERMATH"
}

stop_load()
{
	# shellcheck disable=SC2086 # several
	[ -z "$LOAD" ] || kill $LOAD 2>/dev/null
	LOAD=
}

clean_up_more()
{
	stop_load
	close_disk
}

open_disk

# disk COMMAND...: see faultfs.c
disk()
{
	echo "$*" >"$DISK/.faultfs" || fail "faultfs didn't take '$*'"
}

# disk_hits N: so many calls were failed, slowed down or shortened
disk_hits()
{
	[ "$(cat "$DISK/.faultfs")" -ge "$1" ]
}

load_cpu()
{
	taskset -p -c "$1" $BASHPID
	while :; do ls -lR /sys/kernel /proc/self /usr/share/doc; done
}

# On each CPU that is recorded: the machine itself may be quiet.
start_load()
{
	[ -z "$LOAD" ] || return 0
	local file

	for file in "$BACKING"/a.tape/cpu/*.zst; do
		load_cpu $((10#$(basename "$file" .zst))) >/dev/null 2>&1 &
		LOAD="$LOAD $!"
	done
}

# start_on_disk ARG...: start_recorder to $TAPE on the disk
start_on_disk()
{
	state >"$WORK/before"
	start_recorder -q -o "$TAPE" --settle 0 "$@"
	start_load
}

# wait_for_a_chunk: of each CPU, with more than some idle marks
wait_for_a_chunk()
{
	until_true 20 has_a_chunk || fail "nothing is written"
}

has_a_chunk()
{
	local file

	for file in "$BACKING"/a.tape/cpu/*.zst; do
		[ "$(stat -c %s "$file")" -gt 4000 ] || return 1
	done
}

# room_for BYTES ERROR: no more than that can be written to the disk
room_for()
{
	disk "fault on=room error=$2"
	disk "room=$(($(df --output=used -B1 "$BACKING" | tail -1) + $1))"
}

# wait_recorder: it ends by itself; sets $STATUS
wait_recorder()
{
	until_true 60 is_over $RECORDER || fail "it goes on: $(cat "$WORK/log")"
	wait "$RECORDER"
	STATUS=$?
	RECORDER=
}

# A child that has ended stays as a zombie until it is waited for.
is_over()
{
	[ ! -e "/proc/$1" ] || grep -q '^State:[[:space:]]*Z' "/proc/$1/status"
}

# expect_end STATUS TEXT: so it ended, by itself, with one line, and tracefs is as before
expect_end()
{
	local ended=$RECORDER

	wait_recorder
	[ $STATUS = "$1" ] || fail "exit status $STATUS: $(cat "$WORK/log")"
	# What other recorders left, killed by other tests, isn't what this one is about.
	sed -i '/removed tracefs instance kmemtape-[0-9]* of an earlier run$/d' "$WORK/log"
	expect_line "$WORK/log" "$2"
	expect_clean "$ended" "$WORK/before" "after the recording"
}

# expect_whole TAPE TEXT: nothing is wrong with it, and it says why it ended
expect_whole()
{
	"$KMEMTAPE" verify "$1" >"$WORK/verify" || fail "verify: $(cat "$WORK/verify")"
	"$KMEMTAPE" replay "$1" >"$WORK/report" || fail "replay: exit status $?"
	tr -s ' \n' ' ' <"$WORK/report" | grep -qF "$2" || fail "the report doesn't say '$2': $(head -20 "$WORK/report")"
	[ -n "$(jq -r .ended.why "$1/manifest.json")" ] || fail "the manifest doesn't say why it ended"
	has_events_on "$1"
}

# expect_cut TAPE: it isn't closed, and can be read
expect_cut()
{
	is_closed "$1" && fail "$1 claims to be whole"
	has_events_on "$1"
	[ "$(jq .tape.complete "$WORK/json")" = false ] || fail "$1: replay takes it for complete"
}

# has_events_on TAPE: something was recorded, and can be read
has_events_on()
{
	"$KMEMTAPE" replay --format json "$1" >"$WORK/json" || fail "$1: replay: exit status $?"
	[ "$(jq .events.total "$WORK/json")" -gt 100 ] || fail "$1: hardly an event: $(jq .events "$WORK/json")"
}
