#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# A trace.dat made of a tape: trace-cmd reports the same events, and a tape made of it has the same sub-buffers, byte by
# byte. Any byte order, word size, sub-buffer size; losses; what is damaged or cut is marked as missed.
set -u
command -v trace-cmd >/dev/null || { echo "SKIP: needs trace-cmd"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
. "$KMT_TESTS/cli/trace-dat-lib.sh"
failed=0

fail() {
	echo "$*"
	failed=1
}

# What a trace.dat can say of a tape.
facts() { # TAPE
	"$KMEMTAPE" replay --format json "$1" | jq -S '{
		events, cpus: .tape.cpus, kernel: .tape.kernel, arch: .tape.arch, clock: .tape.clock, host: .tape.host,
		matching: .matching | {paired, reused, unknown_frees, live, live_bytes},
		sites: [.sites[] | {symbol, call_site, cache, allocs, frees, reused, live_objects, live_bytes}] | sort_by(tostring)
	}'
}

check() { # NAME TAPE LEAST
	"$KMEMTAPE" export --format trace.dat -o "$1.dat" "$2" || { fail "$1: export: exit $?"; return; }
	same_events "$1.dat" "$2" "$3" || failed=1
	[ "$(grep -c 'EVENTS DROPPED' reported)" -eq \
		"$("$KMEMTAPE" replay --format json "$2" | jq .events.losses)" ] || fail "$1: trace-cmd sees other losses"
	"$KMEMTAPE" import "$1.dat" -o "$1.back" || { fail "$1: import: exit $?"; return; }
	cmp <(facts "$2") <(facts "$1.back") || fail "$1: a tape made of the file has other facts: $(diff <(facts "$2") <(facts "$1.back") | head)"
	for file in "$2"/cpu/*.zst; do
		cmp <(zstd -qdc "$file") <(zstd -qdc "$1.back/cpu/${file##*/}") || fail "$1: ${file##*/}: other data"
	done
	cmp <(zstd -qdc "$2/symbols/kallsyms.zst") <(zstd -qdc "$1.back/symbols/kallsyms.zst") || fail "$1: other symbols"
	[ ! -e "$2/comms" ] || cmp "$2/comms" "$1.back/comms" || fail "$1: other names of tasks"
}

check i386 "$KMT_TESTS/frozen/i386.tape" 3000
check s390x "$KMT_TESTS/frozen/s390x.tape" 3000
check s390x-lossy "$KMT_TESTS/frozen/s390x-lossy.tape" 9000
for name in a-loss-in-large-sub-buffers node-events-of-old-kernels a-loss-on-a-32-bit-kernel absolute-time-stamps \
	long-pauses-take-time-extends a-cpu-may-come-late probes-of-a-big-endian-kernel tasks-have-the-name-of-their-time; do
	"$MKTAPE" "$KMT_TESTS/golden/$name.script" -o $name.tape || exit 1
	check $name $name.tape 2
done

# Sub-buffers of an instance may be of another size than header_page says, which is that of the top instance.
trace-cmd convert -i a-loss-in-large-sub-buffers.dat --file-version 7 --compression none -o large7.dat >log 2>&1 ||
	fail "convert: $(cat log)"
LC_ALL=C sed 's/size:65520;/size:04080;/' large7.dat >other7.dat
cmp -s large7.dat other7.dat && fail "header_page has another size already"
cmp <(facts a-loss-in-large-sub-buffers.tape) <(facts other7.dat) || fail "sub-buffers of another size than header_page says"

# Events of our own probes are reported, too.
trace-cmd report -i probes-of-a-big-endian-kernel.dat 2>/dev/null | grep -q ' rcu_free: ' || fail "no event rcu_free"

# CPU 0: four chunks; the second one is damaged. What trace-cmd sees is a loss before the third.
{
	echo "formats 6.18"
	for i in 1 2 3 4; do
		for cpu in 0 1; do
			t=$((i * 1000000 + cpu * 1000))
			echo "$t $cpu kmalloc call_site=0xffffffff81000010 ptr=0xffff88800000${i}${cpu}00 bytes_req=60 bytes_alloc=64 gfp=0xcc0 pid=1"
			echo "$((t + 10)) $cpu chunk"
		done
	done
} >script
"$MKTAPE" script -o damaged.tape || exit 1
at=$(LC_ALL=C grep -aobF KMTC damaged.tape/cpu/0000.zst | sed -n '3s/:.*//p')
printf '\377\377\377\377' | dd of=damaged.tape/cpu/0000.zst bs=1 seek=$((at + 64 + 4)) conv=notrunc status=none
"$KMEMTAPE" export -o damaged.dat damaged.tape 2>err || fail "damaged: exit $?"
grep -qE '^kmemtape export: damaged.tape/cpu/0000.zst: offset [0-9]+: .*: the rest is in damaged.dat, with marks' err || fail "damaged: $(cat err)"
trace-cmd report -R -t -i damaged.dat 2>/dev/null | sed -nE 's/.*\[(000)\] +([0-9.]+): kmalloc.*/\2/p; s/(CPU:[01] \[EVENTS DROPPED\])/\1/p' >seen
cmp seen - <<EOT || fail "damaged: trace-cmd sees $(cat seen)"
0.001000000
CPU:0 [EVENTS DROPPED]
0.003000000
0.004000000
EOT

# Cut in its third chunk: the mark is behind all that is known, so that nothing live is certain.
"$MKTAPE" script -o cut.tape || exit 1
at=$(LC_ALL=C grep -aobF KMTC cut.tape/cpu/0000.zst | sed -n '4s/:.*//p')
truncate -s $((at + 70)) cut.tape/cpu/0000.zst
"$KMEMTAPE" export -o cut.dat cut.tape 2>err || fail "cut: exit $?"
grep -qF 'cut.tape/cpu/0000.zst: offset' err || fail "cut: $(cat err)"
"$KMEMTAPE" replay --format json cut.dat >json || fail "cut: replay: exit $?"
jq -e '.events.allocs == 6 and .events.losses == 1 and .matching.uncertain >= 5' json >/dev/null ||
	fail "cut: $(jq -c '.events, .matching' json)"

refused() { # PATTERN ARG...
	local pattern=$1 status
	shift
	"$KMEMTAPE" export "$@" >out 2>err
	status=$?
	[ $status -eq 1 ] && [ "$(wc -l <err)" -eq 1 ] && grep -qF -- "$pattern" err || fail "export $*: exit $status: $(cat err)"
}
refused "damaged.dat: exists: remove it" -o damaged.dat cut.tape
"$MKTAPE" "$KMT_TESTS/golden/snapshots-are-kept.script" -o sampled.tape || exit 1
refused "1 in 16 was recorded, and a trace.dat can't say so" -o sampled.dat sampled.tape
refused "nowhere/f.dat: No such file or directory" -o nowhere/f.dat damaged.tape
(
	trap '' XFSZ
	ulimit -f 8 # as on a full disk
	refused "large.dat: File too large" -o large.dat "$KMT_TESTS/frozen/s390x.tape"
	exit $failed
) || failed=1
cp -r "$KMT_TESTS/frozen/s390x.tape" s390x.broken
rm s390x.broken/events/kmem/kfree/format
refused "s390x.broken/events/kmem/kfree/format: missing" -o broken.dat s390x.broken
[ ! -e broken.dat ] && [ ! -e sampled.dat ] && [ ! -e large.dat ] || fail "something is left of what failed"
exit $failed
