#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What is wrong with a trace.dat is said in one line; and the tape that was made of it goes, whatever ends the replay.
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
mkdir tmp
export TMPDIR=$dir/tmp LC_ALL=C
frozen=$KMT_TESTS/frozen
failed=0

fail() {
	echo "$*"
	failed=1
}

refused() { # FILE PATTERN
	local err status command
	for command in replay "import -o t.tape"; do
		# shellcheck disable=SC2086
		"$KMEMTAPE" $command "$1" >out 2>err
		status=$?
		err=$(cat err)
		[ $status -eq 1 ] && [ ! -s out ] && [ "$(wc -l <err)" -eq 1 ] && grep -qF -- "$1: " err && grep -qE -- "$2" err ||
			fail "$command $1: exit $status, '$err', wanted '$2'"
		[ ! -e t.tape ] && [ -z "$(ls -A tmp)" ] || fail "$command $1: left behind: $(ls -A tmp t.tape 2>&1)"
	done
}

# Cut anywhere.
for bytes in 12 17 20 40 300 2000 20000 60000; do
	head -c $bytes "$frozen/trace-v6.dat" >cut6.dat
	refused cut6.dat 'makes no sense|cut short'
	head -c $bytes "$frozen/trace-v7-stacks.dat" >cut7.dat
	[ $bytes -gt "$(stat -c %s "$frozen/trace-v7-stacks.dat")" ] || refused cut7.dat 'makes no sense|cut short'
done
head -c -5000 "$frozen/trace-v6.dat" >end6.dat
refused end6.dat 'cut short: the data of CPU 1 should be [0-9]+ bytes at offset'

sed '1s/tracing6/tracing5/' "$frozen/trace-v6.dat" >old.dat
refused old.dat 'a version that is.* 6 (or|nor) 7'
sed '1s/zstd/zsta/' "$frozen/trace-v7-stacks.dat" >packed.dat
refused packed.dat 'compressed with something else than zstd or zlib'
sed 's/^local global counter/[x86] global counter/; s/\[mono\]/ mono /; s/local global counter/[tsc] global counter/' "$frozen/trace-v6.dat" >clock.dat
refused clock.dat "clock '(x86|tsc)' doesn't count nanoseconds"
sed 's/name: kfree$/name: kfrex/' "$frozen/trace-v6.dat" >no-frees.dat
refused no-frees.dat 'has events kmem:kmalloc, but no kmem:kfree: without its frees, every object would look leaked'
sed 's/header_page/header_rage/' "$frozen/trace-v6.dat" >header.dat
refused header.dat 'a header is missing'

# A file of 'trace-cmd extract' has the formats of all events: that frees were not enabled shows in that there are none.
allocs() { # N
	echo "formats 6.18"
	for i in $(seq 101 $((100 + $1))); do
		echo "${i}000 0 kmalloc call_site=0xffffffff81000010 ptr=0xffff888000${i}000 bytes_req=60 bytes_alloc=64 gfp=0xcc0 pid=1"
	done
}
for n in 99 100; do
	allocs $n >script
	"$MKTAPE" script -o $n.tape && "$KMEMTAPE" export -o $n.dat $n.tape || fail "mktape, export"
done
refused 100.dat 'has events kmem:kmalloc, but no kmem:kfree'
"$KMEMTAPE" replay --format json 99.dat | jq -e '.matching.live == 99' >/dev/null || fail "99 allocations: not replayed"

# What was there stays.
mkdir there && echo mine >there/file
"$KMEMTAPE" import -o there "$frozen/trace-v6.dat" 2>err && fail "import over a directory with files"
grep -qF 'there: exists and is not empty' err && [ "$(cat there/file)" = mine ] || fail "import over something: $(cat err)"
mkdir empty
"$KMEMTAPE" import -o empty no-frees.dat 2>err && fail "import of a bad file"
[ -d empty ] && [ -z "$(ls -A empty)" ] || fail "the empty directory that was there isn't as it was"
TMPDIR=$dir/nowhere "$KMEMTAPE" replay "$frozen/trace-v6.dat" >out 2>err && fail "no TMPDIR: exit 0"
grep -qF "nowhere/kmemtape-" err && [ "$(wc -l <err)" -eq 1 ] || fail "no TMPDIR: $(cat err)"

# Replays that wait for somebody to read their report. Signals go to the process that was started, and to its worker.
mkfifo pipe
exec 9<>pipe
start() {
	# Who runs the tests under nohup(1) has SIGHUP ignored, and all below inherit it.
	env --default-signal=HUP,TERM "$KMEMTAPE" replay --format json "$frozen/trace-v7-instance.dat" >pipe 2>err &
	pid=$!
	for _ in $(seq 1500); do
		worker=$(pgrep -P $pid) && compgen -G 'tmp/kmemtape-*/tape/manifest.json' >/dev/null && return 0
		kill -0 $pid 2>/dev/null || break
		sleep 0.02
	done
	fail "it doesn't get to its report: $(cat err)"
	kill -KILL $pid 2>/dev/null
	return 1
}
[ "$("$KMEMTAPE" replay --format json "$frozen/trace-v7-instance.dat" | wc -c)" -gt 65536 ] || fail "the pipe can hold the report"
for signal in TERM HUP; do
	start && kill -$signal $pid
	wait $pid
	[ $? -eq $((128 + $(kill -l $signal))) ] || fail "$signal: exit status $?"
	[ -z "$(ls -A tmp)" ] || fail "$signal: left behind: $(ls -A tmp)"
	rm -rf tmp/*
done
exec 9<&- 9<>pipe
start && kill -KILL "$worker"
wait $pid
[ $? -eq 1 ] && grep -qF 'trace-v7-instance.dat: ended by signal 9' err || fail "worker killed: $(cat err)"
[ -z "$(ls -A tmp)" ] || fail "worker killed: left behind: $(ls -A tmp)"
exec 9<&-
"$KMEMTAPE" replay --format json "$frozen/trace-v7-instance.dat" 2>err | head -n 1 >out
[ -z "$(ls -A tmp)" ] && [ ! -s err ] || fail "head: $(ls -A tmp) $(cat err)"

# It is called by its own name, also where it is damaged.
size=$(stat -c %s "$frozen/trace-v7-lossy.dat")
cp "$frozen/trace-v7-lossy.dat" damaged.dat
printf '\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377' |
	dd of=damaged.dat bs=1 seek=$((size - 6000)) conv=notrunc 2>/dev/null
"$KMEMTAPE" replay damaged.dat >out 2>err || fail "damaged.dat: $(cat err)"
grep -q 'damaged.dat/cpu/.*damaged' out && ! grep -q 'tmp/kmemtape-' out || fail "damaged.dat: $(cat out)"
exit $failed
