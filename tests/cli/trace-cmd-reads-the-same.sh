#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What trace-cmd recorded (see frozen/SOURCES) is replayed as trace-cmd itself reports it: event by event, loss by loss.
set -u
command -v trace-cmd >/dev/null || { echo "SKIP: needs trace-cmd"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
mkdir tmp
export TMPDIR=$dir/tmp
. "$KMT_TESTS/cli/trace-dat-lib.sh"
failed=0

fail() {
	echo "$*"
	failed=1
}

replay() { # FILE: the report without what names the file
	"$KMEMTAPE" replay --format json "$1" 2>err >json || fail "$1: exit $?: $(cat err)"
	jq 'del(.tape.path)' json
}

check() { # FILE JQ-EXPRESSION
	local name=${1##*/}
	cp "$1" "$name"
	"$KMEMTAPE" import "$name" -o "$name.tape" || fail "$name: import: exit $?"
	same_events "$name" "$name.tape" 300 || failed=1
	replay "$name" >of-file
	replay "$name.tape" >of-tape
	cmp of-file of-tape || fail "$name: a tape made of it gives another report"
	same_numbers of-file || failed=1
	jq -e "$2" of-file >/dev/null || fail "$name: not $2: $(jq -c '{tape, events, notes}' of-file)"
	"$KMEMTAPE" verify -q "$name" || fail "$name: verify"
	# The other versions of the file hold the same.
	trace-cmd convert -i "$name" --file-version 6 -o v6.dat >log 2>&1 || fail "$name: convert: $(cat log)"
	trace-cmd convert -i "$name" --file-version 7 --compression zstd -o v7.dat >log 2>&1 || fail "$name: convert: $(cat log)"
	trace-cmd convert -i "$name" --file-version 7 --compression none -o plain.dat >log 2>&1 || fail "$name: convert: $(cat log)"
	for other in v6 v7 plain; do
		head -c 20 $other.dat | grep -qaF tracing || fail "$name: trace-cmd convert made nothing"
		# Version 6 has CPUs without events, too, and one clock for all instances.
		cmp <(replay $other.dat | jq 'del(.tape.cpus, .tape.clock, .notes)') \
			<(jq 'del(.tape.cpus, .tape.clock, .notes)' of-file) || fail "$name as $other.dat: another report"
	done
	rm -f ./*.dat
}

frozen=$KMT_TESTS/frozen
check "$frozen/trace-v6.dat" '.tape.clock == "mono" and .events.lost == 0 and (.notes | length) == 1'
check "$frozen/trace-v7-stacks.dat" '.tape.clock == "mono" and .events.lost == 0 and .tape.arch == "x86_64"'
check "$frozen/trace-v7-lossy.dat" '.events.losses == 4 and .events.lost == 635'
check "$frozen/trace-v7-local.dat" '.tape.clock == "local" and (.notes[0] | test("^clock local: .*: record with -C mono$"))'
check "$frozen/trace-v7-instance.dat" '.events.lost == 0 and .tape.host == "fixture"'

# The same as v7-stacks, compressed with zlib: trace-cmd itself may have been built without.
if ! "$KMEMTAPE" info "$frozen/trace-v7-zlib.dat" >out 2>&1; then
	grep -qF 'compressed with zlib, which this kmemtape was built without' out || fail "zlib: $(cat out)"
else
	replay "$frozen/trace-v7-zlib.dat" >of-zlib
	replay "$frozen/trace-v7-stacks.dat" >of-stacks
	cmp of-zlib of-stacks || fail "zlib: another report"
fi

# Losses are where trace-cmd shows them; two of them don't tell their number, but the kernel's own count knows the sum.
[ "$(trace-cmd report -i "$frozen/trace-v7-lossy.dat" 2>/dev/null | grep -c 'EVENTS DROPPED')" -eq 4 ] ||
	fail "losses: $(trace-cmd report -i "$frozen/trace-v7-lossy.dat" 2>/dev/null | grep 'EVENTS DROPPED')"

[ -z "$(ls -A tmp)" ] || fail "left behind: $(ls -A tmp)"
exit $failed
