#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# A tape, and what `replay --format json` wrote of it, give the same bytes; what is no report is refused in one line.
. "$KMT_TESTS/diff/lib.sh"
make leak leak=10
make healthy foo_build=3c
make leak-again leak=10
make healthy-again foo_build=3c
for tape in leak healthy leak-again healthy-again; do
	"$KMEMTAPE" replay --format json $tape.tape >$tape.json || fail "replay: $?"
	"$KMEMTAPE" pack -o $tape.tar $tape.tape || fail "pack: $?"
done
for format in text json; do
	"$KMEMTAPE" diff --format $format leak.tape healthy.tape >wanted || fail "exit $?"
	for pair in "leak.json healthy.json" "leak.json healthy.tape" "leak.tape healthy.json"; do
		# shellcheck disable=SC2086 # words
		"$KMEMTAPE" diff --format $format $pair >got || fail "$pair: exit $?"
		cmp wanted got || fail "$pair: $format: not as the tapes"
	done
	"$KMEMTAPE" diff --format $format <(cat leak.json) <("$KMEMTAPE" replay --format json healthy.tape) | cmp - wanted ||
		fail "pipes: $format: not as the tapes"
	"$KMEMTAPE" diff --format $format -o got leak.json healthy.tape && cmp wanted got || fail "-o"
done
"$KMEMTAPE" diff leak.tar healthy.tar | sed 's/\.tar /.tape /' | cmp - <("$KMEMTAPE" diff leak.tape healthy.tape) || fail "tars"
for tape in "$KMT_TESTS"/frozen/{i386,s390x-lossy,format-1}.tape "$KMT_TESTS"/frozen/trace-v7-stacks.dat; do
	"$KMEMTAPE" replay --format json "$tape" >frozen.json || fail "replay $tape"
	cmp <("$KMEMTAPE" diff "$tape" "$tape") <("$KMEMTAPE" diff frozen.json "$tape") || fail "$tape: not as its report"
done

# A report with some of its rows is no proof of what it lacks.
"$KMEMTAPE" replay --format json --top 1 healthy.tape >cut.json
compare 0 leak.json cut.json
says 'but B is a report without all of its rows'
tells 'B: CUT: the report has not all of its rows'
# One that was written before rows were counted, too.
jq 'del(.rows)' cut.json >cut-old.json
compare 0 leak.json cut-old.json
says 'but B is a report without all of its rows'
jq 'del(.rows)' healthy.json >old.json
compare 0 leak.json old.json
says 'FIXED'
# Nor is one that broke off, or whose verdict knows of a leak that no row has.
jq '.tape.complete = false' healthy-again.json >broken-off.json
compare 0 leak.json broken-off.json
says 'but B is incomplete: its recording did not end in order'
compare 0 broken-off.json leak.json
says 'CANNOT TELL'
compare 0 healthy.json broken-off.json
says 'CANNOT TELL: neither shows a leak, but B is incomplete'
jq '(.sites[] | select(.function == "foo_alloc")).class = "none"' leak-again.json >rowless.json
compare 0 healthy.json rowless.json
says 'CANNOT TELL: neither shows a leak, but B leaks by its verdict'
compare 0 leak.json rowless.json
says 'but B leaks by its verdict, at a site that it'
# Nor one of a tape with more call sites than are told apart: it may be one of these.
jq '(.sites[] | select(.function == "bar_alloc")).not_told_apart = true' healthy-again.json >rest.json
compare 0 leak.json rest.json
says 'but B has more call sites than are told apart'
compare 0 healthy.json rest.json
says 'CANNOT TELL: neither shows a leak, but B has more call sites'
jq '(.sites[] | select(.function == "foo_alloc")).suppressed = true' healthy-again.json >suppressed.json
compare 0 leak.json suppressed.json
says 'but it is suppressed in B'

# What comes from anybody does nothing to a terminal.
jq '(.. | strings | select(. == "foo_alloc")) = "foo\u001b[31m\u0000\u202e\n" | .notes = ["\u001b]0;x\u0007"]' leak.json >hostile.json
"$KMEMTAPE" diff --top 0 hostile.json healthy.json >out || fail "hostile: exit $?"
! grep -q $'[\x01-\x08\x0b-\x1f\x7f]' out || fail "hostile: raw"

refused() { # TEXT FILE
	for pair in "$2 healthy.json" "healthy.json $2"; do
		# shellcheck disable=SC2086 # words
		"$KMEMTAPE" diff $pair >out 2>err
		[ $? -eq 1 ] && [ ! -s out ] && [ "$(wc -l <err)" -eq 1 ] && grep -qF -- "$1" err || fail "$2: wanted '$1': $(cat out err)"
	done
}
refused 'nowhere: No such file' nowhere
# A report in another form, and what is no report.
for format in text csv html folded; do
	"$KMEMTAPE" replay --format $format leak.tape >leak.$format || fail "replay: $?"
	refused "leak.$format: neither a tape nor what 'kmemtape replay --format json' wrote of one" leak.$format
done
: >nothing
refused "nothing: neither a tape nor what 'kmemtape replay --format json' wrote of one" nothing
head -c 3000 /dev/zero >zeros
refused 'zeros: not a tape: neither a directory nor a tar of one' zeros
gzip -c leak.tar >leak.tgz
refused 'leak.tgz: is compressed: unpack it first' leak.tgz
echo '{' >bad.json
refused 'bad.json: no JSON, or not all of it' bad.json
head -c 3000 leak.json >half.json
refused 'half.json: no JSON, or not all of it' half.json
echo '{"schema": 2}' >later.json
refused 'later.json: schema 2, and this kmemtape knows 1' later.json
echo '{"schema": 1, "sites": []}' >empty.json
refused "empty.json: no report of 'kmemtape replay --format json'" empty.json
jq '.sites[1].live_bytes = -1' leak.json >negative.json
refused 'negative.json: sites: live_bytes is not as a report has it' negative.json
jq '.tape.duration_ns = "1h"' leak.json >text.json
refused 'text.json: tape: duration_ns is not as a report has it' text.json
jq '.sites[0] = []' leak.json >list.json
refused 'list.json: sites: not as a report has it' list.json
{
	printf '{"schema": 1, "x": '
	head -c 100000 /dev/zero | tr '\0' '['
} >deep.json
refused 'deep.json: no JSON, or not all of it' deep.json
"$KMEMTAPE" replay --format json --by comm leak.tape >comm.json
refused 'comm.json: has comms, and no sites, caches or modules to compare' comm.json
"$KMEMTAPE" replay --format json --by cache leak.tape >cache.json
refused 'cache.json: is a report by something else than --by asks for' cache.json
"$KMEMTAPE" diff --by cache cache.json leak.tape >/dev/null || fail "by cache: exit $?"
"$KMEMTAPE" diff -o leak.json healthy.json leak.json >out 2>err && fail "-o replaces what is read"
grep -qF 'leak.json: would take the place of what is read' err || fail "-o: $(cat err)"

# Nothing was recorded: that nothing leaks isn't known.
grep -vE '^[0-9]+ [0-9]+ (kmalloc|kfree|kmem_cache_)' healthy.script >empty.script
"$MKTAPE" empty.script -o empty.tape || exit 1
sed 's/^end .*/&1/' empty.script >empty-again.script
"$MKTAPE" empty-again.script -o empty-again.tape || exit 1
compare 0 empty.tape empty-again.tape
says 'CANNOT TELL'
tells 'A has no allocation at all'
exit $failed
