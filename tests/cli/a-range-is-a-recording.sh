#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# pack --range: the report is that of the same events recorded alone; no loss of the time is hidden, none of another time is
# held against anybody.
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0

fail() {
	echo "$*"
	failed=1
}

# 100 s: something leaks in the first half; something else is freed after 30 s; a task is renamed at 20.5 s; events are lost at
# 10 s and at 90 s. With FROM and TO, in seconds, only what is recorded in that time.
script() { # FROM TO
	awk -v from="$1" -v to="$2" '
	function put(s, ns, rest) {
		if (s >= from && s < to)
			printf "%d%09d %s\n", 1000 + s, ns, rest
	}
	BEGIN {
		print "formats 6.18\nkernel 6.18.0\narch x86_64\nclock mono\nsubbuf 4096"
		printf "start %d000000000\nallocs_on %d000000000\nallocs_off %d000000000\nend %d000000000\n", 1000 + from, 1000 + from,
			1000 + to, 1000 + to
		print "symbol ffffffff81000000 T leaks\nsymbol ffffffff81000100 T slow\nsymbol ffffffff81000200 T last"
		print (from > 20 ? "comm 7 renamed" : "comm 7 worker")
		print "comm 8 other"
		reclaim = "| ==> /sys/kernel/slab reclaim_account <==\n| kmalloc-rcl-256"
		for (s = 0; s <= 100; s += 25)
			if (s >= from && s < to) {
				printf "snapshot %d000000001 %s\n", 1000 + s, s ? "interval" : "start"
				if (!is_told++)
					print reclaim
				print "| ==> /proc/meminfo <==\n| MemTotal: 1000 kB"
			}
		if (!is_told)
			printf "snapshot %d000000000 start\n%s\n", 1000 + from, reclaim
		for (s = 0; s < 100; s++) {
			if (s == 20)
				put(s, 500000000, "0 task_rename pid=7 newcomm=renamed oldcomm=worker")
			for (k = 0; k < 10; k++) {
				head = "kmalloc call_site=0xffffffff81000"
				if (s < 50)
					put(s, k * 1000, sprintf("0 %s010 ptr=0xffff8880%06x00 bytes_req=250 bytes_alloc=256 gfp=0xcc0 pid=7", head, s * 20 + k))
				put(s, k * 1000 + 600000000, sprintf("0 %s110 ptr=0xffff8880%06x00 bytes_req=250 bytes_alloc=256 gfp=0xcc0 pid=8", head, s * 20 + k + 10))
				if (s >= 30)
					put(s, k * 1000 + 300000000, sprintf("1 kfree call_site=0xffffffff81000210 ptr=0xffff8880%06x00 pid=7", (s - 30) * 20 + k + 10))
			}
			if (s == 10 || s == 90)
				put(s, 700000000, "1 lost 5\n" 1000 + s "700000001 1 kfree call_site=0xffffffff81000210 ptr=0x0 pid=7")
			if (s % 7 == 0)
				put(s, 900000000, "0 chunk")
		}
	}'
}

report() { # TAPE: but for what must differ
	"$KMEMTAPE" replay --format json --by comm "$1" | jq 'del(.tape.path, .notes)'
	"$KMEMTAPE" replay --format json "$1" | jq 'del(.tape.path, .notes)'
}

script 0 100 >all.script
"$MKTAPE" all.script -o all.tape || exit 1
"$KMEMTAPE" verify -q all.tape || fail "the tape isn't good"

check() { # RANGE FROM TO
	script "$2" "$3" | "$MKTAPE" - -o alone.tape || fail "$1: mktape"
	"$KMEMTAPE" pack --range "$1" -o part.tar all.tape 2>err || fail "$1: $(cat err)"
	"$KMEMTAPE" verify part.tar >out || fail "$1: verify: $(cat out)"
	report alone.tape >expected
	report part.tar >found
	[ "$(jq -s '.[1].events.allocs' found)" -gt 0 ] || fail "$1: no events"
	diff expected found >diff || fail "$1: (<) alone, (>) of the range: $(head -n 20 diff)"
	"$KMEMTAPE" replay --format json part.tar | jq -e '[.notes[] | select(test("^a part of the recording, from "))] | length == 1' >/dev/null ||
		fail "$1: the report doesn't say so"
	rm -rf alone.tape part.tar
}
check 20s..80s 20 80
check 21s..60s 21 60
check 5s..15s 5 15
check 12s.. 12 100
check ..5m 0 100
check 0.5m..1m 30 60
check 11s..89s 11 89

# Of a part of a part, times are since the start of that part.
"$KMEMTAPE" pack --range 10s..90s -o first.tar all.tape 2>err && "$KMEMTAPE" pack --range 10s..70s -o second.tar first.tar 2>err ||
	fail "part of a part: $(cat err)"
script 20 80 | "$MKTAPE" - -o alone.tape
diff <(report alone.tape) <(report second.tar) >diff || fail "part of a part: $(head -n 20 diff)"
"$KMEMTAPE" replay second.tar | grep -q 'note: a part of the recording, from 20.0 s to 80.0 s' || fail "part of a part: $("$KMEMTAPE" replay second.tar | grep note)"

# Steps follow each other, and the report stays what it is.
judged() { # TAPE
	"$KMEMTAPE" replay --format json "$1" | jq '[.verdict.headline, .tape.duration_ns, .events.allocs,
		(.sites[] | [.function, .class, .live_objects, .live_bytes, .frees])]'
}
"$KMEMTAPE" pack --range 20s..80s --distill --redact -o steps.tar all.tape 2>err || fail "all steps: $(cat err)"
diff <(judged alone.tape) <(judged steps.tar) >diff || fail "all steps: $(head -n 20 diff)"
"$KMEMTAPE" pack --range 5s.. -o bad.tar steps.tar 2>err && fail "a part of what has no events"
[ "$(wc -l <err)" -eq 1 ] || fail "a part of what has no events: $(cat err)"

# Times that lie within sub-buffers: each event is of one of two parts.
for at in 20.5s 47.123456s 99.60000001s; do
	"$KMEMTAPE" pack --range ..$at -o a.tar all.tape 2>/dev/null && "$KMEMTAPE" pack --range $at.. -o b.tar all.tape 2>/dev/null || fail "$at"
	for tape in a.tar b.tar all.tape; do
		"$KMEMTAPE" verify -q $tape || fail "$at: $tape is damaged"
		"$KMEMTAPE" replay --format json $tape | jq '[.events.allocs, .events.frees, .events.lost]'
	done | jq -se '[.[0], .[1]] | transpose | map(add)' >sum
	[ "$(jq -c . sum)" = "$("$KMEMTAPE" replay --format json all.tape | jq -c '[.events.allocs, .events.frees, .events.lost]')" ] ||
		fail "$at: $(jq -c . sum)"
	rm a.tar b.tar
done

# Other byte orders and word sizes, with losses.
for name in s390x-lossy i386-lossy; do
	tape=$KMT_TESTS/frozen/$name.tape
	"$KMEMTAPE" pack --range .. -o whole.tar "$tape" 2>err || fail "$name: $(cat err)"
	diff <("$KMEMTAPE" replay --format json "$tape" | jq '[.events, .matching, .sites]') \
		<("$KMEMTAPE" replay --format json whole.tar | jq '[.events, .matching, .sites]') >diff || fail "$name: $(head -n 20 diff)"
	half=$("$KMEMTAPE" replay --format json "$tape" | jq '.tape.duration_ns / 2 | floor')
	"$KMEMTAPE" pack --range ..${half}ns -o a.tar "$tape" 2>err && "$KMEMTAPE" pack --range ${half}ns.. -o b.tar "$tape" 2>err || fail "$name: $(cat err)"
	for part in a.tar b.tar "$tape"; do
		"$KMEMTAPE" verify -q "$part" || fail "$name: $part is damaged"
		"$KMEMTAPE" replay --format json "$part" | jq '[.events.allocs, .events.frees]'
	done | jq -se '([.[0], .[1]] | transpose | map(add)) == .[2]' >/dev/null || fail "$name: the halves are not the whole"
	rm a.tar b.tar whole.tar
done

# What makes no sense is one line, and leaves nothing.
for bad in 10s 5s..2s 5..x a..b .. ...; do
	[ $bad = .. ] || "$KMEMTAPE" pack --range $bad -o bad.tar all.tape 2>err && [ $bad != .. ] && fail "--range $bad"
	[ $bad = .. ] || grep -q "range: '$bad' is not FROM..TO" err || fail "--range $bad: $(cat err)"
done
"$KMEMTAPE" pack --range 200s.. -o bad.tar all.tape 2>err && fail "a range behind the end"
[ "$(wc -l <err)" -eq 1 ] && grep -q 'all.tape: 3 m 20 s is behind its end' err || fail "behind the end: $(cat err)"
[ -z "$(find . -maxdepth 1 -name 'bad.tar*')" ] || fail "left behind: $(ls -d bad.tar*)"
exit $failed
