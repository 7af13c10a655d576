# SPDX-License-Identifier: GPL-2.0-only
# Sourced by the tests of faults, which have two lines behind their license:
#   # Fault: what happens
#   # Promise: what is on disk, how it exits and says so, how tracefs is afterwards, what the next run cleans up
# shellcheck source=tests/live/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../live/lib.sh"

# state: tracefs_state without the instances of others, who may come and go
state()
{
	tracefs_state | grep -vE '^kmemtape-[0-9]+$'
}

# expect_clean PID FILE WHEN: its instance goes, at once or when the janitor is done; else tracefs is as in FILE, by state
expect_clean()
{
	until_true 20 test ! -e "$TRACEFS/instances/kmemtape-$1" || fail "the instance is still there $3"
	state | diff "$2" - || fail "tracefs differs $3"
}

has_grown()
{
	[ "$(stat -c %s "$1")" -gt "$2" ]
}

# expect_growth FILE...: each has more in it than now, be it a mark: so within about a second, unless the machine is slow
expect_growth()
{
	local file size

	for file in "$@"; do
		size=$(stat -c %s "$file")
		until_true 20 has_grown "$file" "$size" || fail "nothing comes to $file"
	done
}

# expect_incomplete TAPE: it replays, says that it was cut short, and each CPU's file is whole up to there; the kernel may have
# left a write half done
expect_incomplete()
{
	judge "$1" 500ms
	[ "$(jq .tape.complete "$WORK/judged")" = false ] || fail "$1: the report takes it for complete"
	"$KMEMTAPE" replay "$1" >"$WORK/report" || fail "$1: replay: exit status $?"
	grep -q "^INCOMPLETE" "$WORK/report" || fail "$1: not said to be incomplete: $(head -5 "$WORK/report")"
	is_closed "$1" && fail "$1 claims to be closed"
	command -v zstd >/dev/null || return 0
	for file in "$1"/cpu/*.zst; do
		zstd -qt "$file" || jq -r '.notes[]' "$WORK/judged" | grep -q "/${file##*/}: offset [0-9]*: cut" ||
			fail "$file is damaged: $(jq -c .notes "$WORK/judged")"
	done
}

# expect_closed TAPE: it replays, and says that it is complete
expect_closed()
{
	is_closed "$1" || fail "$1 isn't closed"
	judge "$1" 500ms
	[ "$(jq .tape.complete "$WORK/judged")" = true ] || fail "$1: the report takes it for incomplete"
}

# disturb COMMAND: somebody runs it in the instance of a recording, $WORK/a.tape, which ends when that was noticed. Sets $STATUS
disturb()
{
	local before

	state >"$WORK/before"
	start_recorder -q -o "$WORK/a.tape" --settle 0
	before=$RECORDER
	until_true 20 grep -q '"allocs_on_ns": *[1-9]' "$WORK/a.tape/manifest.json" || fail "it doesn't get going"
	(cd "$TRACEFS/instances/kmemtape-$RECORDER" && eval "$1") || fail "can't $1"
	until_true 20 grep -q "somebody else" "$WORK/log" || fail "not noticed: $1: $(cat "$WORK/log")"
	end_recorder INT
	expect_clean "$before" "$WORK/before" "after the recording"
}

# expect_disturbed FILE: it was told once, the tape has it, and the report takes it for a loss
expect_disturbed()
{
	[ $STATUS = 0 ] || fail "exit status $STATUS: $(cat "$WORK/log")"
	expect_line "$WORK/log" "somebody else touched $1 in our tracefs instance"
	expect_closed "$WORK/a.tape"
	jq -e '.events.losses > 0' "$WORK/judged" >/dev/null || fail "the report knows of no loss"
	jq -r '.notes[]' "$WORK/judged" | grep -q "^somebody else touched $1 " || fail "the report doesn't tell"
	[ "$LEAK" = none ] || fail "somebody is accused: $HEADLINE"
}

# expect_ended WHY: in order, by itself
expect_ended()
{
	[ $STATUS = 1 ] || fail "exit status $STATUS: $(cat "$WORK/log")"
	tail -n 1 "$WORK/log" | grep -q "$1" || fail "expected '$1' last, got: $(cat "$WORK/log")"
	judge "$WORK/a.tape" 500ms
	jq -e '.events.losses > 0' "$WORK/judged" >/dev/null || fail "the report knows of no loss"
	[ "$LEAK" = none ] || fail "somebody is accused: $HEADLINE"
}

# make_cgroup NAME: of the memory controller, in $CGROUP; removed at the end
make_cgroup()
{
	local root=/sys/fs/cgroup/memory

	if grep -qw memory /sys/fs/cgroup/cgroup.controllers 2>/dev/null; then
		root=/sys/fs/cgroup
		echo +memory 2>/dev/null >$root/cgroup.subtree_control
	fi
	CGROUP=$root/kmemtape-test-$1-$$
	mkdir "$CGROUP" 2>/dev/null || skip "can't make a cgroup of the memory controller"
	LIMIT=$CGROUP/memory.limit_in_bytes
	USAGE=$CGROUP/memory.usage_in_bytes
	if [ ! -e "$LIMIT" ]; then
		LIMIT=$CGROUP/memory.max
		USAGE=$CGROUP/memory.current
	fi
	[ -w "$LIMIT" ] || skip "this cgroup has no memory limit"
}

# Kills what is in it, and nothing else.
remove_cgroup()
{
	local pid

	for pid in $(cat "$CGROUP/cgroup.procs"); do
		kill -KILL "$pid"
	done
	until_true 20 rmdir "$CGROUP"
}

# start_recorder_in_cgroup ARG...
start_recorder_in_cgroup()
{
	sh -c 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"' sh "$CGROUP" "$KMEMTAPE" record "$@" 2>"$WORK/log" &
	RECORDER=$!
	until_true 20 is_recording $RECORDER || fail "it doesn't start: $(cat "$WORK/log")"
}
