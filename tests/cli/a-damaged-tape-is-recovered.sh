#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Whatever befalls a tape: the recovered one is good, says what is lost, and accuses nobody whose frees may be missing.
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0

fail() {
	echo "$*"
	failed=1
}

# For 100 s, CPU 0 allocates ten objects each second that leak, and ten that CPU 1 frees 400 ms later. A chunk for 5 s.
awk 'BEGIN {
	print "formats 6.18\nkernel 6.18.0\narch x86_64\nstart 1000000000\nend 101000000000\ncomm 7 worker"
	print "symbol ffffffff81000000 T leaks\nsymbol ffffffff81000100 T honest\nsymbol ffffffff81000200 T last"
	print "snapshot 1000000000 start\n| ==> /proc/meminfo <==\n| MemTotal: 1000 kB"
	print "snapshot 50000000000 interval\n| ==> /proc/meminfo <==\n| MemTotal: 1000 kB"
	print "snapshot 100900000000 end\n| ==> /proc/meminfo <==\n| MemTotal: 1000 kB"
	for (i = 1; i <= 100; i++) {
		for (k = 0; k < 10; k++) {
			line = " kmalloc call_site=0xffffffff81000%s10 ptr=0xffff8880%06x00 bytes_req=250 bytes_alloc=256 gfp=0xcc0 pid=7\n"
			printf "%d%09d 0" line, i, k * 1000, 0, ++n
			printf "%d%09d 0" line, i, k * 1000 + 100, 1, ++n
			printf "%d%09d 1 kfree call_site=0xffffffff81000210 ptr=0xffff8880%06x00 pid=7\n", i, 400000000 + k * 1000, n
		}
		if (i % 5 == 0)
			printf "%d500000000 0 chunk\n%d500000001 1 chunk\n", i, i
	}
}' >script
"$MKTAPE" script -o good.tape || exit 1

accused() { # TAPE: functions that leak, says its report
	"$KMEMTAPE" replay --format json "$1" 2>/dev/null | jq -r '.sites[] | select(.class == "leak") | .function // .call_site'
}
[ "$(accused good.tape)" = leaks ] || fail "accused on the good tape: $(accused good.tape)"

damage() { # NAME COMMANDS...: in a copy of the good tape
	rm -rf "$1.tape" "$1.new"
	cp -r good.tape "$1.tape"
	(cd "$1.tape" && eval "$2") || fail "$1: $2"
}

recovered() { # NAME SAID EXPRESSION: what recover says, and what is true of the report of the new tape
	"$KMEMTAPE" recover -o "$1.new" "$1.tape" >said 2>err || fail "$1: recover: exit $?: $(cat err)"
	[ -s err ] && fail "$1: recover: $(cat err)"
	grep -qE -- "$2" said || fail "$1: said '$(cat said)', not '$2'"
	"$KMEMTAPE" verify "$1.new" >out || fail "$1: verify of the new tape: $(cat out)"
	"$KMEMTAPE" replay --format json "$1.new" >out 2>err || fail "$1: replay of the new tape: $(cat err)"
	jq -e "$3" out >/dev/null || fail "$1: not $3: $(jq -c '[.tape, .events, .matching, .notes]' out)"
	jq -e '(.tape.complete | not) and any(.notes[]; test("^recovered from a damaged tape: "))' out >/dev/null ||
		fail "$1: the report doesn't say it: $(jq -c '[.tape.complete, .notes]' out)"
	accused "$1.new" | grep -vE '^leaks$|^0xffffffff81000010$' && fail "$1: somebody else is accused"
	"$KMEMTAPE" recover -o "$1.again" "$1.new" >again || fail "$1: recover of the new tape"
	grep -qv '^snapshots\|^comms' again && [ "$(cat again)" != "nothing is lost" ] && fail "$1: again: $(cat again)"
	rm -rf "$1.again"
}

hurt() { # FILE OFFSET: a few bytes there are others
	printf '\125\252\125' | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
chunk() { # FILE N: offset of the header of its Nth data chunk, counted from 1
	LC_ALL=C grep -aobF KMTC "$1" | sed -n "$(($2 + 1))s/:.*//p"
}

# A good one stays as it is.
"$KMEMTAPE" recover -o same.tape good.tape >said || fail "recover of a good tape"
[ "$(cat said)" = "nothing is lost" ] || fail "of a good tape, is lost: $(cat said)"
diff <("$KMEMTAPE" replay --format json good.tape) <(cd same.tape && "$KMEMTAPE" replay --format json ../same.tape) |
	grep '^[<>]' | grep -v '"path"' && fail "the report has changed"
"$KMEMTAPE" recover -o same.tape good.tape 2>err && fail "wrote over a tape"
grep -q 'not empty' err || fail "over a tape: $(cat err)"

# The data of a chunk; the frees of 45.4 to 49.4 s are gone, of objects that have come before.
damage data 'hurt cpu/0001.zst $(($(chunk cpu/0001.zst 10) + 80))'
recovered data '^cpu/0001.zst: 1 damaged place.* 4.00 KiB of events are lost' \
	'.events.losses == 1 and .events.frees == 950 and .matching.live == 1050'

# Its header: what is behind is found again.
damage header 'hurt cpu/0001.zst $(($(chunk cpu/0001.zst 10) + 20))'
recovered header '^cpu/0001.zst: 1 damaged place.* 4.00 KiB of events are lost' \
	'.events.losses == 1 and .events.frees == 950'

# Some bytes in the middle of the file are missing altogether; and the beginning of a file.
damage hole 'f=cpu/0001.zst; { head -c $(($(chunk $f 5) + 100)) $f; tail -c +$(($(chunk $f 7) + 30)) $f; } >x; mv x $f'
recovered hole '^cpu/0001.zst: 1 damaged place' '.events.losses == 1 and .events.frees == 850'
damage begin 'hurt cpu/0001.zst 10'
recovered begin '^cpu/0001.zst: 1 damaged place' '.events.losses == 1 and .events.frees == 1000'

# All chunks of the CPU that frees.
damage all 'for i in $(seq 20); do hurt cpu/0001.zst $(($(chunk cpu/0001.zst $i) + 80)); done'
recovered all '^cpu/0001.zst: 1 damaged place' '.events.losses >= 1 and .events.frees == 0'
[ -z "$(accused all.new)" ] || fail "all: accused: $(accused all.new)"

# A file without its end, and all of them, as of a recorder that was killed.
damage cut 'truncate -s $(($(chunk cpu/0001.zst 11) + 90)) cpu/0001.zst'
recovered cut '^time: ends at 49[.0-9]* s for all CPUs, as cpu/0001.zst does' \
	'.events.losses == 0 and .events.allocs == 1000 and .events.frees == 500'
damage killed 'truncate -s -72 cpu/*.zst; sed -i "s/\"closed\":true/\"closed\":false/; s/\"end_ns\":[0-9]*/\"end_ns\":0/; s/\"allocs_off_ns\":[0-9]*/\"allocs_off_ns\":0/" manifest.json'
recovered killed '^manifest.json: the recording was not closed' '.events.losses == 0 and .events.frees >= 990'
[ "$(accused killed.new)" = leaks ] || fail "killed: accused: $(accused killed.new)"

# Both reports of a tape that is just cut are the same but for what is said of the damage.
for name in cut killed; do
	for tape in $name.tape $name.new; do
		"$KMEMTAPE" replay --format json $tape | jq 'del(.tape.path, .notes)' >$tape.json
	done
	diff $name.tape.json $name.new.json >diff || fail "$name: $(head -n 20 diff)"
done

# A file that is missing, and what is no file of a CPU.
damage missing 'rm cpu/0001.zst'
"$KMEMTAPE" replay missing.tape 2>/dev/null && fail "replayed without a CPU"
recovered missing '^cpu/0001.zst: nothing is left of it' '.events.losses == 1 and .events.frees == 0'
[ -z "$(accused missing.new)" ] || fail "missing: accused: $(accused missing.new)"
damage empty ': >cpu/0001.zst'
recovered empty '^cpu/0001.zst: nothing is left of it' '.events.losses == 1 and .events.frees == 0'
damage zeros 'head -c 100000 /dev/zero >cpu/0001.zst'
recovered zeros '^cpu/0001.zst: nothing is left of it' '.events.losses == 1'
damage link 'mv cpu/0001.zst ..; ln -s ../../0001.zst cpu/0001.zst'
recovered link '^cpu/0001.zst: nothing is left of it' '.events.losses == 1'

# The manifest: without its end, without all of it, and with the one that was to replace it.
whole='.events.losses == 0 and .events.allocs == 2000 and .events.frees == 1000 and (.matching.free_probes | not)'
damage half 'truncate -s 300 manifest.json'
recovered half '^manifest.json: .*: made anew, of what the files tell' "$whole"
damage none 'rm manifest.json'
recovered none '^manifest.json: missing: made anew' "$whole"
damage part 'mv manifest.json manifest.json.part; echo "{" >manifest.json; echo x >comms.part'
recovered part '^manifest.json: .*: made anew' '.events.frees == 1000 and .tape.kernel == "6.18.0"'
[ -e part.new/comms.part ] && fail "a file that wasn't ready was kept"
damage page 'rm events/header_page'
recovered page '^events/header_page: missing: made anew' '.events.losses == 0 and .events.frees == 1000'
damage neither 'rm events/header_page manifest.json'
"$KMEMTAPE" recover -o neither.new neither.tape 2>err && fail "recovered without manifest and header_page"
[ "$(wc -l <err)" -eq 1 ] && grep -q 'nothing tells how to read the rest' err || fail "neither: $(cat err)"
[ -e neither.new ] && fail "neither: something is left"

# Formats: without those of frees, all would look leaked.
damage frees 'rm events/kmem/kfree/format'
"$KMEMTAPE" recover -o frees.new frees.tape 2>err && fail "recovered without frees"
grep -q 'kfree/format: missing: without its frees' err || fail "frees: $(cat err)"
[ -e frees.new ] && fail "frees: something is left"
damage allocs 'rm events/kmem/kmalloc/format'
recovered allocs '^events/kmem/kmalloc/format: missing: its events are left out' '.events.allocs == 0'

# Texts.
damage symbols 'hurt symbols/kallsyms.zst 150'
recovered symbols '^symbols/kallsyms.zst: offset [0-9]+: damaged.*left out' '.events.frees == 1000 and .sites[0].function == null'
damage counters 'hurt snapshots.zst 150'
recovered counters '^snapshots.zst: offset [0-9]+: damaged.*the snapshot there is left out' '.events.frees == 1000'
damage texts 'rm comms snapshots.zst; hurt cpu/0001.zst $(($(chunk cpu/0001.zst 10) + 80))'
recovered texts '^comms: missing' '.events.frees == 950'
grep -q '^snapshots.zst: missing' said || fail "texts: $(cat said)"

# A tar that was cut in the file of the CPU that frees; what tar(1) wrote last may be the manifest.
tar cf cut.tar good.tape/manifest.json good.tape/events good.tape/symbols good.tape/comms good.tape/cpu
truncate -s $(($(tar tvRf cut.tar good.tape/cpu/0001.zst | sed -n '1s/^block \([0-9]*\):.*/\1/p') * 512 + 512 + 2000)) cut.tar
rm -rf cut.tape cut.new && mv cut.tar cut.tape
recovered cut '^time: ends at .* as cpu/0001.zst does' '.events.losses == 0 and .events.frees > 0'
tar cf last.tape good.tape/events good.tape/symbols good.tape/comms good.tape/cpu good.tape/manifest.json
truncate -s $(($(tar tvRf last.tape good.tape/manifest.json | sed -n '1s/^block \([0-9]*\):.*/\1/p') * 512)) last.tape
recovered last '^manifest.json: missing: made anew' "$whole"

# verify repairs nothing, and says what does.
cp -r data.tape before
"$KMEMTAPE" verify data.tape >out && fail "verify: a damaged tape is good"
tail -n 1 out | grep -q "^data.tape: damaged or cut.*'kmemtape recover'" || fail "verify: $(tail -n 1 out)"
diff -r before data.tape || fail "verify changed the tape"
exit $failed
