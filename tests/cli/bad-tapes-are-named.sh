#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What is wrong with a tape is said in one line with file and offset; what can be read is read.
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0

fail() {
	echo "$*"
	failed=1
}

# Two CPUs, four chunks each; the object at ...8000 is freed by the other CPU in its last chunk.
{
	echo "formats 6.18"
	echo "symbol ffffffff81000000 T first_alloc"
	echo "symbol ffffffff81000100 T second_alloc"
	echo "symbol ffffffff81000200 T last"
	for i in 1 2 3 4; do
		for cpu in 0 1; do
			t=$((i * 1000000 + cpu * 1000))
			echo "$t $cpu kmalloc call_site=0xffffffff81000010 ptr=0xffff88800000${i}${cpu}00 bytes_req=60 bytes_alloc=64 gfp=0xcc0 pid=1"
			echo "$((t + 10)) $cpu chunk"
		done
	done
} >script
"$MKTAPE" script -o good.tape || exit 1

refused() { # TAPE PATTERN
	local err status
	"$KMEMTAPE" replay "$1" >out 2>err
	status=$?
	err=$(cat err)
	[ $status -eq 1 ] || fail "$1: exit $status"
	[ -s out ] && fail "$1: printed a report"
	[ "$(wc -l <err)" -eq 1 ] && grep -qE -- "$2" err || fail "$1: '$err', wanted '$2'"
}

replayed() { # TAPE EXPRESSION
	"$KMEMTAPE" replay --format json "$1" >out 2>err || fail "$1: exit $?: $(cat err)"
	jq -e "$2" out >/dev/null || fail "$1: not $2: $(jq -c '{tape, events, matching, notes}' out)"
}

offset_of_chunk() { # FILE N: of the header of its Nth data chunk, counted from 1
	LC_ALL=C grep -aobF KMTC "$1" | sed -n "$(($2 + 1))s/:.*//p"
}

replayed good.tape '.tape.complete and .events.allocs == 8 and .notes == []'
"$KMEMTAPE" verify good.tape >/dev/null || fail "verify of a good tape"

refused nowhere.tape '^kmemtape replay: nowhere.tape: No such file'
echo hello >file.tape
refused file.tape '^kmemtape replay: file.tape: not a tape'
mkdir empty.tape
refused empty.tape 'empty.tape: not a tape: it has no manifest.json'

cp -r good.tape m.tape
echo '{' >m.tape/manifest.json
refused m.tape 'm.tape/manifest.json: offset [0-9]+: '
jq '.format_version = 2' good.tape/manifest.json >m.tape/manifest.json
refused m.tape 'm.tape/manifest.json: tape format 2, this kmemtape reads up to 1'
jq '.incompat = ["columns"]' good.tape/manifest.json >m.tape/manifest.json
refused m.tape "m.tape/manifest.json: needs a kmemtape that knows 'columns'"
jq '.incompat = ["\u001b[31mred"]' good.tape/manifest.json >m.tape/manifest.json
refused m.tape 'knows .\\x1b\[31mred'
jq '.cpus = [0, 1, 7]' good.tape/manifest.json >m.tape/manifest.json
refused m.tape 'm.tape/cpu/0007.zst: missing'
jq 'del(.kernel.long_bytes)' good.tape/manifest.json >m.tape/manifest.json
refused m.tape "m.tape/manifest.json: 'long_bytes' is missing"

cp -r good.tape f.tape
rm f.tape/events/kmem/kmalloc/format
refused f.tape 'f.tape/events/kmem/kmalloc/format: missing'
echo garbage >f.tape/events/kmem/kmalloc/format
refused f.tape 'f.tape/events/kmem/kmalloc/format: .*not a format file'
cp -r good.tape h.tape
rm h.tape/events/header_page
refused h.tape 'h.tape/events/header_page: missing'

cp -r good.tape x.tape
cp x.tape/cpu/0001.zst x.tape/cpu/0000.zst
refused x.tape 'x.tape/cpu/0000.zst: offset 0: damaged: it is the file of CPU 1'

# Damage in the data of one chunk: passed over, with a note, and what lives is uncertain.
cp -r good.tape d.tape
at=$(offset_of_chunk d.tape/cpu/0000.zst 2)
printf '\377\377\377' | dd of=d.tape/cpu/0000.zst bs=1 seek=$((at + 64 + 12)) conv=notrunc 2>/dev/null
replayed d.tape '(.tape.complete | not) and .events.allocs == 7 and .events.losses == 1 and
	.matching.uncertain > 0 and (.notes[0] | test("d.tape/cpu/0000.zst: offset [0-9]+: damaged"))'
"$KMEMTAPE" verify d.tape >out && fail "verify of a damaged tape: exit 0"
grep -qE '^d.tape/cpu/0000.zst: offset [0-9]+: damaged' out || fail "verify: $(cat out)"

# Cut within the third chunk of CPU 0: time ends there for CPU 1, too.
cp -r good.tape c.tape
truncate -s $(($(offset_of_chunk c.tape/cpu/0000.zst 3) + 70)) c.tape/cpu/0000.zst
replayed c.tape '(.tape.complete | not) and .events.allocs == 3 and
	(.notes[0] | test("c.tape/cpu/0000.zst: offset [0-9]+: cut"))'
"$KMEMTAPE" replay c.tape | grep -q '^INCOMPLETE' || fail "the text report does not say that the tape is cut"

# Not closed: every file lost its footer, and the manifest says so.
cp -r good.tape o.tape
for file in o.tape/cpu/*.zst; do truncate -s -72 "$file"; done
jq '.closed = false' good.tape/manifest.json >o.tape/manifest.json
replayed o.tape '(.tape.complete | not) and .events.allocs >= 7'

# The report is the same whatever the number of threads, for each of these.
for tape in good d c o; do
	"$KMEMTAPE" replay --format json --threads 0 $tape.tape >one
	for n in 1 2 5 20; do
		"$KMEMTAPE" replay --format json --threads $n $tape.tape | cmp -s - one ||
			fail "$tape.tape: $n threads, another report"
	done
done
exit $failed
