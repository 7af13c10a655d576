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

# expect_incomplete TAPE: it replays, says that it was cut short, and each CPU's file is whole up to there
expect_incomplete()
{
	judge "$1" 500ms
	[ "$(jq .tape.complete "$WORK/judged")" = false ] || fail "$1: the report takes it for complete"
	"$KMEMTAPE" replay "$1" >"$WORK/report" || fail "$1: replay: exit status $?"
	grep -q "^INCOMPLETE" "$WORK/report" || fail "$1: not said to be incomplete: $(head -5 "$WORK/report")"
	is_closed "$1" && fail "$1 claims to be closed"
	command -v zstd >/dev/null || return 0
	for file in "$1"/cpu/*.zst; do
		zstd -qt "$file" || fail "$file is damaged"
	done
}

# expect_closed TAPE: it replays, and says that it is complete
expect_closed()
{
	is_closed "$1" || fail "$1 isn't closed"
	judge "$1" 500ms
	[ "$(jq .tape.complete "$WORK/judged")" = true ] || fail "$1: the report takes it for incomplete"
}
