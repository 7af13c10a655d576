#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What a terminal would heed, and what isn't UTF-8, is printed by no command in no format: whatever text on a tape, in a
# tar or in a trace.dat it comes from, in results as in errors.
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0

fail() {
	echo "$*"
	failed=1
}

# Colours, a bell, DEL, CSI of C1, right-to-left and isolate marks, a separator, a tag, what is no UTF-8.
E=$'\e[31m\a\b\x7f\xc2\x9b1m\xe2\x80\xae\xe2\x81\xa6\xe2\x80\xa8\xf3\xa0\x81\x81\xff\xc0\xaf'
cat >check.py <<'END'
import sys, unicodedata
text = open(sys.argv[1], "rb").read().decode("utf-8")  # fails if it isn't
bad = {c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Cn", "Co")}
sys.exit("raw: %r" % sorted(bad) if bad else 0)
END

# Usage: clean ARG...: 'kmemtape ARG...' says nothing raw, whatever it says.
nr=0
clean() {
	local status file
	"$KMEMTAPE" "$@" >out 2>err
	status=$?
	[ $status -lt 4 ] || fail "$*: exit $status: $(cat -v err)"
	[ -s out ] || [ -s err ] || fail "$*: says nothing"
	for file in out err; do
		python3 check.py $file 2>log || fail "$*: std$file: $(cat log)"
	done
	nr=$((nr + 1))
}

some() { # TAPE
	clean replay --top 0 "$1"
	clean replay --format json "$1"
	clean info "$1"
	clean verify "$1"
	rm -rf good
	clean recover -o good "$1"
}

all() { # TAPE
	some "$1"
	for by in cache module comm stack owner; do
		clean replay --top 0 --by $by "$1"
	done
	clean replay --by stack --format json "$1"
	for format in folded speedscope firefox ndjson openmetrics; do
		clean replay --format $format "$1"
	done
	clean replay --explain "leak$E" "$1"
	clean replay --explain "leak$E" --format json "$1"
	clean replay --interval 1s "$1"
	clean replay --interval 1s --only "cache=x$E" "$1"
	clean replay --interval 1s --only "comm=c$E" --format json "$1"
	clean replay --lines "$1"
	clean replay --lines --format json "$1"
	clean info --format json "$1"
	"$KMEMTAPE" pack -o x.tar "$1" >out 2>err && "$KMEMTAPE" export -o x.dat "$1" >out 2>>err
	python3 check.py err || fail "pack, export $1: raw"
}

cat >script <<END
kernel 6.1$E
arch x$E
formats 6.18 stacks
endian little
long 8
subbuf 4096
clock mono
start 1000
allocs_on 1000
allocs_off 90000000000
end 90000000000
host h$E
command c$E
closed yes
filter kmem:kmalloc bytes_alloc >= 1$E
module load 0 mod$E 16384 0xffffffffc0000000 OE$E 1111
symbol ffffffff81000000 T _stext
symbol ffffffff81010000 T leak$E
symbol ffffffff81020000 T caller$E
symbol ffffffff81f00000 T _etext
module_symbol 1 ffffffffc0001000 t in_mod$E
comm 42 c$E
snapshot 1000 start
| ==> /proc/meminfo <==
| MemTotal:        4096000 kB
| ==> /proc/slabinfo <==
| slabinfo - version: 2.1
| x$E           64     64    128   32    1 : tunables    0    0    0 : slabdata      2      2      0
| ==> /proc/vmallocinfo <==
| 0xffffc90000000000-0xffffc90000005000   20480 v$E+0x10/0x20 [m$E] pages=4 vmalloc
snapshot 90000000000 end
| ==> /proc/meminfo <==
| MemTotal:        4096000 kB
| ==> /proc/slabinfo <==
| slabinfo - version: 2.1
| x$E           6400     6400    128   32    1 : tunables    0    0    0 : slabdata      200      200      0
| ==> /proc/vmallocinfo <==
| 0xffffc90000000000-0xffffc90000005000   20480 v$E+0x10/0x20 [m$E] pages=4 vmalloc
| 0xffffc90000006000-0xffffc90000026000   20480 v$E+0x10/0x20 [m$E] pages=4 vmalloc
END
for ((i = 10; i < 89; i++)); do
	cat <<END
${i}000000000 0 kmalloc call_site=0xffffffff81010040 ptr=0xffff8880000${i}000 bytes_req=100 bytes_alloc=128 gfp=0xcc0 pid=42
${i}000000010 0 kernel_stack caller=0xffffffff81010040,0xffffffff81020040,0xffffffffc0001010 pid=42
${i}000001000 0 kmem_cache_alloc call_site=0xffffffffc0001010 ptr=0xffff8881000${i}000 name=x$E bytes_req=100 bytes_alloc=128 gfp=0xcc0 pid=42
END
done >>script
"$MKTAPE" script -o tape || exit 1
all tape
jq -r '.sites[].symbol' <("$KMEMTAPE" replay --format json tape) | grep -q '^leak.x1b' || fail "the test has no hostile symbol"
jq -r '.sites[].cache' <("$KMEMTAPE" replay --format json tape) | grep -q '^x.x1b' || fail "the test has no hostile cache"

# Each text file of the tape, and its name, spoilt in places: errors say what was there.
nr_texts=0
for file in manifest.json symbols/modules symbols/build-ids comms events/kmem/kmalloc/format events/header_page; do
	[ -f "tape/$file" ] || continue
	nr_texts=$((nr_texts + 1))
	for word in name field kernel 42; do
		rm -rf bad
		cp -r tape bad
		E=$E W=$word python3 - "bad/$file" <<'END'
import os, sys
path, evil, word = sys.argv[1], os.fsencode(os.environ["E"]), os.fsencode(os.environ["W"])
text = open(path, "rb").read()
open(path, "wb").write(text.replace(word, word + evil, 3) if word in text else text + evil)
END
		clean replay bad
		[ $file != manifest.json ] || clean info --format json bad
	done
done
[ $nr_texts -ge 4 ] || fail "only $nr_texts text files"

# Names of files: of the tape, of members of a tar, of events.
cp -r tape "t$E"
mkdir "t$E/events/kmem/e$E" && cp "t$E/events/kmem/kfree/format" "t$E/events/kmem/e$E/"
cp "t$E/cpu/0000.zst" "t$E/cpu/0001.zst$E"
some "t$E"
head -c 300 "t$E/cpu/0000.zst" >cut && cp cut "t$E/cpu/0000.zst"
some "t$E"
clean verify "nothing$E"
tar cf evil.tar "t$E"
some evil.tar
sed -i 's/ustar/us\x1b[r/2' evil.tar
some evil.tar

# And a trace.dat: names, comms, symbols, clocks.
for word in kmalloc mono 'print fmt' uname; do
	E=$E W=$word python3 - "$KMT_TESTS/frozen/trace-v6.dat" evil.dat <<'END'
import os, sys
evil, word = os.fsencode(os.environ["E"]), os.fsencode(os.environ["W"])
text = open(sys.argv[1], "rb").read()
n = max(len(word), 1)
open(sys.argv[2], "wb").write(text.replace(word, (evil * 9)[:n]))
END
	clean replay evil.dat
	rm -rf evil.tape
	"$KMEMTAPE" import -o evil.tape evil.dat >out 2>err || :
	python3 check.py err || fail "import: raw"
done
[ $nr -gt 60 ] || fail "only $nr commands were tried"
exit $failed
