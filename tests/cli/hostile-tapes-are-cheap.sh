#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Small tapes that were made to be expensive are not: each of these once took minutes, or gigabytes, or would have. Limits
# are far above what they take now, also under sanitizers, and far below what they would take.
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0
CPU_S=60
RSS_KIB=$((1 << 20))
SITES_RSS_KIB=$((110 << 10))
NAMES_RSS_KIB=$((512 << 10))
ALIVE_RSS_KIB=$((256 << 10))
REST_RSS_KIB=$((256 << 10))
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}quarantine_size_mb=8 # of what is freed, little counts as memory

fail() {
	echo "$*"
	failed=1
}

cat >measure.py <<'END'
import resource, subprocess, sys
status = subprocess.run(sys.argv[2:], stdout=open("out", "w"), stderr=open("err", "w")).returncode
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(status, usage.ru_maxrss, "%.1f" % (usage.ru_utime + usage.ru_stime), file=open(sys.argv[1], "w"))
END

head_of() { # FORMATS
	cat <<-END
		kernel 6.18.0
		arch x86_64
		formats 6.18 $1
		endian little
		long 8
		subbuf 4096
		clock mono
		start 1000
		allocs_on 1000
		allocs_off 90000000000
		end 90000000000
		closed yes
		symbol ffffffff81000000 T _stext
		symbol ffffffff81010000 T alloc_it
		symbol ffffffff81f00000 T _etext
	END
}

# Usage: cheap NAME ARG...: of the script on stdin, 'kmemtape replay ARG...' is within the limits.
cheap() {
	local name=$1 status rss cpu
	shift
	"$MKTAPE" - -o "$name" || {
		fail "$name: mktape"
		return
	}
	(ulimit -t $CPU_S && python3 measure.py usage "$KMEMTAPE" replay "$@" "$name")
	read -r status rss cpu <usage
	echo "$name: $(du -sk "$name" | cut -f 1) KiB, $cpu s, $rss KiB"
	[ "$status" -eq 0 ] || fail "$name: exit $status: $(tail -n 3 err)"
	[ "$rss" -lt $RSS_KIB ] || fail "$name: $rss KiB"
}

# Each free of 8192 pages ends the one that is live there.
{
	head_of pages
	echo "1000 0 mm_page_alloc pfn=0x1 order=0 gfp=0xcc0 pid=42"
	awk 'BEGIN { for (i = 0; i < 60000; i++) printf "%d 0 mm_page_free pfn=0x%x order=13 pid=42\n", 2000 + i, 8192 * (i % 1000) }'
} | cheap frees-of-large-blocks --format json

# As many CPUs as there can be, with an event each.
{
	head_of ""
	awk 'BEGIN { for (i = 0; i < 8192; i += 4) printf "%d %d kmalloc call_site=0xffffffff81010040 ptr=0xffff8880%08x bytes_req=8 bytes_alloc=8 gfp=0xcc0 pid=42\n", 2000 + i, i, i * 4096 }'
} | cheap two-thousand-cpus --format json

# Modules that come and go at one place, all of the same name, and call sites in it.
{
	head_of ""
	awk 'BEGIN { for (i = 0; i < 5000; i++) printf "module load %d mod 16384 0xffffffffc0000000 - 1111\nmodule unload %d mod\n", 2000 + 20 * i, 2010 + 20 * i
		for (i = 0; i < 20000; i++) printf "%d 0 kmalloc call_site=0xffffffffc%07x ptr=0xffff8880%08x bytes_req=8 bytes_alloc=8 gfp=0xcc0 pid=42\n", 2005 + 20 * i, 16 + i % 16000, i * 4096 }'
} | cheap module-storm --format json

# As many modules as fit, all at the same place and of different names.
{
	head_of ""
	awk 'BEGIN { for (i = 0; i < 20000; i++) printf "module load 0 mod%d 16384000 0xffffffffc0000000 - 1111\n", i
		for (i = 0; i < 20000; i++) printf "%d 0 kmalloc call_site=0xffffffffc%07x ptr=0xffff8880%08x bytes_req=8 bytes_alloc=8 gfp=0xcc0 pid=42\n", 2005 + 20 * i, 16 + i * 8, i * 4096 }'
} | cheap a-crowd-of-modules --format json
[ "$(jq -r '[.sites[].module] | unique | join(" ")' out)" = mod19999 ] || fail "a-crowd-of-modules: not all sites are of the last one"

# Of those that were there before, nobody has the address any more: it takes a look at each.
{
	head_of ""
	awk 'BEGIN { for (i = 0; i < 13000; i++) printf "module load %d mod 16384000 0xffffffffc0000000 - 1111\nmodule unload %d mod\n", 2000 + 20 * i, 2010 + 20 * i
		for (i = 0; i < 20000; i++) printf "%d 0 kmalloc call_site=0xffffffffc%07x ptr=0xffff8880%08x bytes_req=8 bytes_alloc=8 gfp=0xcc0 pid=42\n", 1000000 + 20 * i, 16 + i * 8, i * 4096 }'
} | cheap modules-of-the-past --format json
jq -e '.notes[] | select(test("too many modules"))' out >/dev/null || fail "modules-of-the-past: no note that names are missing"

# Every allocation has a call site of its own, and what it allocated gets old. It was 5 KiB for each, and a sort of 2000 slopes.
{
	head_of ""
	awk 'BEGIN { for (i = 0; i < 30000; i++) printf "%d 0 kmalloc call_site=0x%x ptr=0xffff8880%08x bytes_req=8 bytes_alloc=8 gfp=0xcc0 pid=42\n", 2000 + i * 2000000, 4096 + i * 16, i * 4096 }'
} | RSS_KIB=$SITES_RSS_KIB cheap call-sites --format json

# Nothing but names of tasks, which all shards of a replay are given: it was as much for each of 32.
{
	head_of ""
	awk 'BEGIN { for (i = 0; i < 3000; i++) for (cpu = 0; cpu < 64; cpu++) printf "%d %d task_rename pid=42 oldcomm=a comm=b\n", 2000 + i * 64 + cpu, cpu }'
} | RSS_KIB=$NAMES_RSS_KIB cheap names-of-tasks --format json --threads 32

# More of them than are told apart: whoever came too late is named as such, not accused, and the same by however many threads.
{
	head_of ""
	awk 'BEGIN { for (i = 0; i < 95000; i++) printf "%d 0 kmalloc call_site=0x%x ptr=0xffff8880%08x bytes_req=8 bytes_alloc=8 gfp=0xcc0 pid=42\n", 2000 + i * 900000, 4096 + i * 16, i * 4096 }'
} | RSS_KIB=$REST_RSS_KIB cheap too-many-call-sites --threads 0
mv out one
grep -q '^NO LEAK SEEN, but there are more call sites than are told apart' one || fail "too-many-call-sites: $(head -n 1 one)"
grep -q '^    (all that is not told apart)' one || fail "too-many-call-sites: no row of the others"
"$KMEMTAPE" replay --threads 2 too-many-call-sites >two 2>&1 || fail "too-many-call-sites: exit $?"
cmp one two || fail "too-many-call-sites: by two threads it is another report"
"$KMEMTAPE" pack -q --small -o small.tar too-many-call-sites 2>/dev/null || fail "too-many-call-sites: pack: exit $?"
"$KMEMTAPE" replay --threads 0 small.tar >two 2>&1 || fail "too-many-call-sites: small: exit $?"
cmp one <(sed 's/small.tar/too-many-call-sites/' two) || fail "too-many-call-sites: packed small it is another report: $(diff one two)"
for format in csv folded; do
	"$KMEMTAPE" replay -q --format $format too-many-call-sites >out 2>err || fail "too-many-call-sites: $format: exit $?"
	grep -qF '(all that is not told apart)' out || fail "too-many-call-sites: $format doesn't name the others"
	! grep -qE '(^|[",;])0x1([",; ]|$)' out || fail "too-many-call-sites: $format has code at 0x1"
done

# The same of page frames: of each kind of request, by its flags.
{
	head_of pages
	awk 'BEGIN { for (i = 0; i < 80000; i++) printf "%d 0 mm_page_alloc pfn=0x%x order=0 gfp=0x%x pid=42\n", 2000 + i * 1000000, i, i }'
} | RSS_KIB=$REST_RSS_KIB cheap too-many-kinds-of-pages
grep -q '^    (all that is not told apart)' out || fail "too-many-kinds-of-pages: no row of the others"

# And of stacks.
{
	head_of stacks
	echo "stacks slab"
	awk 'BEGIN { for (i = 0; i < 80000; i++) printf "%d 0 kmalloc call_site=0xffffffff81010040 ptr=0xffff8880%08x bytes_req=8 bytes_alloc=8 gfp=0xcc0 pid=42\n%d 0 kernel_stack caller=0xffffffff81010040,0xffffffff81%06x pid=42\n", 2000 + i * 1000000, i * 4096, 2001 + i * 1000000, 131072 + i * 16 }'
} | RSS_KIB=$REST_RSS_KIB cheap too-many-stacks --by stack
grep -q '^    (all that is not told apart)' out || fail "too-many-stacks: no row of the others"

# More live objects than files of that size can have: blocks of pages that are freed in parts make 10 or 13 of one each. It is
# said to be so, and not reported on, also where several have a part of them each.
{
	head_of pages
	awk 'BEGIN {
		for (i = 0; i < 16000; i++) {
			printf "%d 0 mm_page_alloc pfn=0x%x order=13 gfp=0xcc0 pid=42\n", 2000 + i, 8192 * i
			for (k = 0; k < 4; k++)
				printf "%d 0 mm_page_free pfn=0x%x order=0 pid=42\n", 2000 + i, 8192 * i + 2048 * k
		}
	}'
} | "$MKTAPE" - -o much.tape || fail "too-much-alive: mktape"
"$KMEMTAPE" pack -q --small -o too-much-alive much.tape 2>/dev/null || fail "too-much-alive: pack: exit $?"
for threads in 0 3; do
	python3 measure.py usage "$KMEMTAPE" replay --threads $threads too-much-alive
	read -r status rss cpu <usage
	echo "too-much-alive, $threads threads: $(du -sk too-much-alive | cut -f 1) KiB, $cpu s, $rss KiB"
	[ "$status" -eq 1 ] || fail "too-much-alive: exit $status"
	grep -qE '^kmemtape replay: too-much-alive: more live objects and tasks than a recording of [0-9.]+ KiB can have: ' err || fail "too-much-alive: $(cat err)"
	[ ! -s out ] || fail "too-much-alive: there is a report"
	[ "$rss" -lt $ALIVE_RSS_KIB ] || fail "too-much-alive: $rss KiB"
	mv err "err-$threads"
done
cmp err-0 err-3 || fail "too-much-alive: by three threads it is another error"

# Names that each task has of its own take memory, too, and none of the CPU files.
{
	head_of ""
	echo "2000 0 kmalloc call_site=0xffffffff81010040 ptr=0xffff888000001000 bytes_req=8 bytes_alloc=8 gfp=0xcc0 pid=42"
} | "$MKTAPE" - -o too-many-names || fail "too-many-names: mktape"
awk 'BEGIN { for (i = 1; i <= 310000; i++) printf "%d\tname-%d\n", i, i }' >too-many-names/comms
"$KMEMTAPE" replay --threads 0 too-many-names >out 2>err && fail "too-many-names: there is a report"
grep -q '^kmemtape replay: too-many-names: more names of tasks and caches than a recording of [0-9]* B can have: ' err || fail "too-many-names: $(cat err)"

# Losses that add up to more than there are numbers: they are the largest one, and not none.
{
	head_of ""
	echo "2000 0 kmalloc call_site=0xffffffff81010040 ptr=0xffff888000001000 bytes_req=8 bytes_alloc=8 gfp=0xcc0 pid=42"
	echo "3000 0 lost 18446744073709551615"
	echo "4000 0 kmalloc call_site=0xffffffff81010040 ptr=0xffff888000002000 bytes_req=8 bytes_alloc=8 gfp=0xcc0 pid=42"
	echo "5000 0 lost 2"
	echo "6000 0 kmalloc call_site=0xffffffff81010040 ptr=0xffff888000003000 bytes_req=8 bytes_alloc=8 gfp=0xcc0 pid=42"
} | cheap losses-without-end --format json
grep -q '"lost": *18446744073709551615' out || fail "losses-without-end: $(grep '"lost"' out)"
exit $failed
