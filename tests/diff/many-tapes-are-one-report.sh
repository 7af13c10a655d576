#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# `merge`: on how many hosts each site leaks, first and last seen, sums and maxima; of tapes and of their reports the same.
. "$KMT_TESTS/diff/lib.sh"

make one leak=10 host=fig
make two leak=5 host=pear build=9f foo_build=8e shift=64 suffix=.isra.2 base=ffffffff83000000 module=ffffffffc0a00000
make three foo_build=3c host=plum
make later leak=10 host=fig
for tape in one two three later; do
	"$KMEMTAPE" replay --format json $tape.tape >$tape.json || fail "replay: $?"
done
# Scripts have no wall clock.
dated() { # NAME TIME
	jq ".tape.started_at = \"$2\"" "$1.json" >"$1.dated"
}
dated one 2026-03-01T23:59:30Z
dated later 2026-03-05T10:00:00Z
dated two 2026-02-28T00:00:00Z
dated three 2026-01-01T00:00:00Z

merge() {
	what="merge $*"
	"$KMEMTAPE" merge "$@" >text 2>err || fail "$what: exit $?: $(cat err)"
	[ ! -s err ] || fail "$what: $(cat err)"
	"$KMEMTAPE" merge --format json "$@" >json || fail "$what: json: exit $?"
	awk 'length > 80 { print; bad = 1 } END { exit bad }' text || fail "$what: wider than 80 columns"
	! LC_ALL=C grep '[^ -~]' text || fail "$what: not ASCII"
	cp text out
}
holds() {
	jq -e "$1" json >/dev/null || fail "$what: not so: $1: $(jq -c 'del(.tapes)' json)"
}

merge one.dated two.dated three.dated later.dated
says 'LEAKS on 2 of 3 hosts: foo_alloc'
holds '.hosts == 3 and .leaking_hosts == 2 and .leaking_tapes == 3 and .doubtful_tapes == 0 and (.tapes | length) == 4'
holds '.sites | length == 3'
holds '.sites[0] | .module == "foo" and .hosts == 3 and .tapes == 4 and .leaking_hosts == 2 and .leaking_tapes == 3'
holds '.sites[0] | .first_seen == "2026-01-01T00:00:00Z" and .last_seen == "2026-03-05T10:01:00Z"'
holds '.sites[0] | .first_leak == "2026-02-28T00:00:00Z" and .last_leak == "2026-03-05T10:01:00Z"'
# Two tapes of one host are of the same memory, which counts once.
holds '.sites[0] | ([.by_tape[].live_bytes]) as $b | .live_bytes_sum == ([$b[0], $b[3]] | max) + $b[1] + $b[2] and .live_bytes_max == ($b | max)'
holds '.sites[0] | ([.by_tape[].growth_bytes_per_s]) as $r | (.growth_bytes_per_s_sum - ([$r[0], $r[3]] | max) - $r[1] | fabs) < 1 and .growth_bytes_per_s_max == ([$r[0, 1, 3]] | max)'
holds '[.sites[0].by_tape[] | .suspect] == [true, true, false, true]'
holds 'all(.sites[1:][]; .leaking_hosts == 0 and .leaking_tapes == 0 and .hosts == 3)'
grep -qF 'leaks on 2 of 3 hosts, 3 of 4 tapes' text || fail "$what: $(cat text)"
grep -q '^and 2 more that leak nowhere' text || fail "$what: $(cat text)"

# Tapes and their reports give the same bytes, in any mixture.
for format in text json; do
	"$KMEMTAPE" merge --format $format one.tape two.tape three.tape later.tape >wanted || fail "exit $?"
	"$KMEMTAPE" merge --format $format one.json two.tape <(cat three.json) later.json | cmp - wanted || fail "$format: not as the tapes"
	"$KMEMTAPE" merge --format $format -o got one.tape two.json three.json later.tape && cmp got wanted || fail "$format: -o"
done

# Nobody knows the host of a redacted tape: it is one of its own.
"$KMEMTAPE" pack --redact -o redacted.tar one.tape 2>/dev/null || fail "redact: exit $?"
merge later.tape redacted.tar
holds '.hosts == 2 and .leaking_hosts == 2 and .sites[0].leaking_hosts == 2 and .repeats == []'
# Even if both were recorded to the same place.
jq 'del(.tape.host)' one.json >unnamed.json
jq '.events.total += 1' unnamed.json >unnamed-too.json
merge unnamed.json unnamed-too.json
holds '.hosts == 2 and .leaking_hosts == 2 and .sites[0].hosts == 2 and .sites[0].leaking_hosts == 2'

# The same recording again, in whatever form, counts once: as what has all rows, and a host.
ln -s one.tape link.tape
{ "$KMEMTAPE" pack -o one.tar one.tape && "$KMEMTAPE" pack --small -o small.tar one.tape; } 2>/dev/null || fail "pack: exit $?"
"$KMEMTAPE" pack --redact --distill -o distilled.tar one.tape 2>/dev/null || fail "distill: exit $?"
"$KMEMTAPE" replay --format json --top 1 --grace 20s one.tape >top.json || fail "replay: exit $?"
merge --top 0 one.tape
grep -v '^1: ' text >wanted
jq '.sites' json >wanted.json
merge --top 0 redacted.tar one.tape ./one.tape link.tape one.tar small.tar distilled.tar one.json top.json
holds '.hosts == 1 and .leaking_tapes == 1 and (.tapes | map(.path)) == ["one.tape"] and all(.repeats[]; .tape == 0)'
holds '(.repeats | map(.path)) == ["redacted.tar", "./one.tape", "link.tape", "one.tar", "small.tar", "distilled.tar", "one.tape", "one.tape"]'
grep -v '^1: ' text | cmp - wanted || fail "$what: not as one.tape alone"
jq '.sites' json | cmp - wanted.json || fail "$what: sites are not as of one.tape alone"
[ "$(grep -c '^1: the same recording again, counts once: ' text)" -eq 8 ] || fail "$what: not a line for each: $(cat text)"
grep -qx '1: the same recording again, counts once: small.tar' text || fail "$what: small.tar isn't named"
"$KMEMTAPE" merge --format html top.json one.tape two.tape one.tar >page.html || fail "$what: html: exit $?"
grep -qF '<p>2 more are the same recording again' page.html || fail "html: not a word of those that are there twice"
"$KMEMTAPE" merge --format json two.tape top.json one.tape | jq -e '.hosts == 2 and (.tapes | map(.cut)) == [false, false]' >/dev/null ||
	fail "a report with some of its rows takes the place of the tape"
merge one.tape later.tape
holds '.hosts == 1 and .leaking_tapes == 2 and (.sites[0] | .leaking_hosts == 1 and .leaking_tapes == 2)'

merge three.tape
says 'NO LEAK SEEN on any of 1 host, 1 tape'
make lossy foo_build=3c host=sloe lost=5
merge three.tape lossy.tape
says 'NO LEAK SEEN on any of 2 hosts, 2 tapes; 1 of 2 tapes not whole'
grep -q '^2: LOST 5 EVENTS' text || fail "$what: not a word of the loss: $(cat text)"
# What is too short is no proof, and a verdict is one where the report lacks the site.
make short seconds=20 foo_build=3c host=fig
merge three.tape short.tape
says 'NO LEAK SEEN on any of 2 hosts, 2 tapes; 1 of 2 tapes too short to tell'
holds '.short_tapes == 1 and .doubtful_tapes == 0'
jq 'del(.sites[] | select(.function == "foo_alloc"))' one.json >cut.json
merge three.json cut.json
says 'LEAKS on 1 of 2 hosts, at sites not in the reports; 1 of 2 tapes not whole'
make_helper helper-leaks 1
make_helper helper 0
merge helper.tape helper-leaks.tape
says 'LEAKS on 1 of 2 hosts: foo_rx [foo] (by __alloc_skb)'
holds '.sites[0] | .function == "__alloc_skb" and .owner == "foo_rx" and .owner_module == "foo" and .leaking_hosts == 1 and .hosts == 2'
holds '[.sites[0].by_tape[] | .owner] == [null, "foo_rx"]'

# It leaks for another one on another host: none of them is accused where the other one leaks, nor where nothing does.
make_helper rebuilt 1 module=ffffffffc0a00000 foo_build=3c shift=64
make_helper bar-leaks 2
make_helper foo-alone 0 only=foo
make_helper bar-alone 0 only=bar
leaks='["__alloc_skb", "foo_rx", "foo", 2, 2, 5, 5, [1, 3]], ["__alloc_skb", "bar_tx", null, 1, 1, 5, 5, [2]], ["__alloc_skb", null, null, 0, 0, 5, 5, [0, 4]]'
shown='[.function, .owner, .owner_module, .leaking_hosts, .leaking_tapes, .hosts, .tapes, (.by_tape | map(.tape))]'
merge --top 0 helper.tape helper-leaks.tape bar-leaks.tape rebuilt.tape bar-alone.tape
says 'LEAKS on 2 of 5 hosts: foo_rx [foo] (by __alloc_skb), and 1 more'
holds '[.sites[] | '"$shown"'] == ['"$leaks"'] and [.sites[].by_tape[].owner] == ["foo_rx", "foo_rx", "bar_tx", null, "bar_tx"]'
holds '[.sites[] | .live_bytes_sum == (.by_tape | map(.live_bytes) | add)] | all'
grep -A1 '^__alloc_skb, for ' text | grep -o 'for .*\|leaks.*hosts' >got
printf '%s\n' 'for foo_rx [foo]  kmalloc-1k' 'leaks on 2 of 5 hosts' 'for bar_tx  kmalloc-1k' 'leaks on 1 of 5 hosts' | cmp - <(grep -v '^--' got) ||
	fail "$what: $(cat text)"
"$KMEMTAPE" merge --format html --top 0 helper.tape helper-leaks.tape bar-leaks.tape rebuilt.tape bar-alone.tape >page.html || fail "html: exit $?"
sed -n '/id="parts"/,/<\/table>/p' page.html | grep -oE '__alloc_skb[^<]*|[a-z-]+[.]tape' | paste -sd ' ' >got
echo '__alloc_skb, for foo_rx [foo] helper-leaks.tape __alloc_skb, for foo_rx [foo] rebuilt.tape __alloc_skb, for bar_tx bar-leaks.tape' \
	'__alloc_skb helper.tape __alloc_skb, for bar_tx bar-alone.tape' | cmp - got || fail "html: $(cat got)"
# Of one host on two days, too; a compiler's suffix makes nobody another one.
for name in helper-leaks bar-leaks rebuilt; do
	"$KMEMTAPE" replay --format json $name.tape | jq '.tape.host = "fig" | (.sites[].owner | select(. == "foo_rx")) += ".isra.0"' >$name.json
done
merge helper-leaks.json bar-leaks.json
holds '.hosts == 1 and ([.sites[] | [.owner, .leaking_hosts, .leaking_tapes, .hosts, .tapes]] | sort == [["bar_tx", 1, 1, 1, 2], ["foo_rx.isra.0", 1, 1, 1, 2]])'
merge helper-leaks.tape rebuilt.json
holds '[.sites[] | [.owner_module, .leaking_hosts, .leaking_tapes]] == [["foo", 2, 2]]'
# Who has no name is called by an address, which is somebody else's on another host; and who isn't told isn't foo_rx.
for at in 1 2; do
	"$KMEMTAPE" replay --format json helper-leaks.tape | jq --arg at 0xffffffffc000000$at '.tape.host = $at | .events.total += ($at[-1:] | tonumber) |
		(.sites[] | select(.owner == "foo_rx")) |= (.owner = $at | del(.owner_module))' >$at.json
done
merge 1.json 2.json
says 'LEAKS on 2 of 2 hosts: __alloc_skb'
holds '[.sites[] | [.owner, .leaking_hosts, .hosts]] == [[null, 2, 2]] and (.sites[0].by_tape | map(.owner[-1:])) == ["1", "2"]'
merge 1.json 2.json rebuilt.tape
says 'LEAKS on 2 of 3 hosts: __alloc_skb, and 1 more'
holds '[.sites[] | [.owner, .leaking_hosts, .hosts]] == [[null, 2, 3], ["foo_rx", 1, 3]]'
# Where nobody leaks, it is nobody's.
merge --top 0 foo-alone.tape bar-alone.tape
holds '[.sites[] | [.owner, .hosts]] == [[null, 2]] and (.sites[0].by_tape | map(.owner)) == ["foo_rx", "bar_tx"]'
merge --by module one.tape two.tape
says 'LEAKS on 2 of 2 hosts: foo'
merge --top 0 one.tape two.tape
[ "$(grep -c '^  leaks on' text)" -eq 3 ] || fail "$what: not all of them"
exit $failed
