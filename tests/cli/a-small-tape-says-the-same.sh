#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# A small tape gives the same report, is verified, exported and redacted as the tape it was made of, stays cut where that
# was, and becomes an ordinary one again; what can't be made small is refused in one line.
set -u
work=$(mktemp -d "${TMPDIR:-/tmp}/small.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failed=0
mkdir whole small again

fail() {
	echo "$*"
	failed=1
}

# same COMMAND...: what it says of whole/x and small/x
same() {
	local form a b
	for form in whole small; do
		(cd $form && "$KMEMTAPE" "$@" x 2>&1; echo "exit $?") | sed "s/: offset [0-9]*: /: /" >$form.out
	done
	cmp -s whole.out small.out && return
	fail "$name: $*: not the same:"
	diff whole.out small.out | head -n 10
}

make_small() { # TAPE
	rm -rf whole/x small/x
	ln -s "$1" whole/x
	"$KMEMTAPE" pack --small -o small/x "$1" 2>why || fail "$name: $(cat why)"
}

scripts=(a-bulk-free-frees-each-object a-loss-in-large-sub-buffers a-loss-on-a-big-endian-kernel absolute-time-stamps
	a-stack-behind-lost-events-is-nobodys all-spaces-of-a-32-bit-kernel discarded-records-are-passed-over)
for name in "${scripts[@]}"; do
	rm -rf tape
	"$MKTAPE" "$KMT_TESTS/golden/$name.script" -o tape || fail "$name: no tape"
	make_small "$work/tape"
	same replay --format json
	same export -o x.dat
	rm -f whole/x.dat small/x.dat
done
for name in i386 s390x-lossy; do
	make_small "$KMT_TESTS/frozen/$name.tape"
	same replay --format json
	same replay --by stack
	"$KMEMTAPE" verify small/x | grep -q 'good' || fail "$name: verify: not good"
done

# What makes no columns stays as it was: more kinds of records than a chunk of columns may have, and
# more bytes than the chunk would have else.
odd() { # NUMBER LINE, of awk
	sed '/^1[0-9]* 0 /d; s/1400$/90000000/' "$KMT_TESTS/golden/discarded-records-are-passed-over.script"
	awk -v nr="$1" 'function any() { return int(rand() * 65536) } BEGIN { for (i = 0; i < nr; i++) '"$2"' }'
}
name=kinds
odd 40000 '{ printf "%d 0 kfree call_site=0xffffffff%08x ptr=0xffff8880%08x pid=42\n", 1000 + i * 100, 2164260864 + i * 16, i * 64 }' >$name.script
name=noise
odd 18000 '{ printf "%d 0 kmalloc call_site=0xffff%04x%04x%04x ptr=0xffff%04x%04x%04x bytes_req=1%05d%05d%05d bytes_alloc=1%05d%05d%05d gfp=0x%04x%04x pid=1%05d\n", \
	1000 + i * 100, any(), any(), any(), any(), any(), any() - any() % 8, any(), any(), any(), any(), any(), any(), any(), any(), any() }' >$name.script
for name in kinds noise; do
	rm -rf tape odd.d
	"$MKTAPE" $name.script -o tape || fail "$name: no tape"
	make_small "$work/tape"
	"$KMEMTAPE" verify small/x | grep -q "good, .*, $(grep -c '^[0-9]* 0 k' $name.script) events" || fail "$name: verify: not all"
	mkdir odd.d
	tar -xf small/x -C odd.d --strip-components=1
	cmp -n 1000000 <(zstd -qdc odd.d/cpu/0000.zst) <(zstd -qdc tape/cpu/0000.zst) || fail "$name: made columns after all"
done

# It is one, and isn't any more when its events are written anew.
mkdir files
tar -xf small/x -C files --strip-components=1
jq -e '.incompat == ["small"]' files/manifest.json >/dev/null || fail "older readers aren't told"
cpu=$(cd files && ls cpu | head -n 1)
cmp -s <(zstd -qdc "files/cpu/$cpu") <(zstd -qdc "$KMT_TESTS/frozen/s390x-lossy.tape/cpu/$cpu") && fail "no columns"
"$KMEMTAPE" pack --range 0s.. -o again/x small/x 2>why || fail "range: $(cat why)"
"$KMEMTAPE" pack --range 0s.. -o again/y whole/x 2>why || fail "range: $(cat why)"
for form in x y; do
	mkdir again/$form.d
	tar -xf again/$form -C again/$form.d --strip-components=1
	(cd again/$form.d && md5sum manifest.json && for file in cpu/*; do zstd -qdc "$file" | wc -c; done) >again/$form.sums
done
cmp -s again/x.sums again/y.sums || fail "the way back leads elsewhere"
"$KMEMTAPE" pack --redact -o again/redacted small/x 2>/dev/null && "$KMEMTAPE" pack --redact -o again/other whole/x 2>/dev/null ||
	fail "not redacted"
cmp -s <(cd again && "$KMEMTAPE" replay --format json redacted | grep -v '"path"') \
	<(cd again && "$KMEMTAPE" replay --format json other | grep -v '"path"') || fail "redacted, it is another tape"

# What was cut is so at the same time; small once more, it is the same.
name=cut
cp -r --no-dereference "$work/tape" "$work/cut"
cpu=$(ls cut/cpu | head -n 1)
truncate -s -72 "cut/cpu/$cpu"
make_small "$work/cut"
same replay --format json
cp small/x first
"$KMEMTAPE" pack --small -o again/small first 2>/dev/null
mkdir again/small.d again/first.d
tar -xf again/small -C again/small.d --strip-components=1
tar -xf first -C again/first.d --strip-components=1
diff -r again/small.d again/first.d || fail "small once more, it is another tape"

refused() { # WORDS ARGUMENT...
	local words=$1
	shift
	"$KMEMTAPE" pack --small -o again/refused "$@" >out 2>why && fail "$*: was not refused"
	[ "$(wc -l <why)" = 1 ] && grep -qF -- "$words" why || fail "$*: $(cat why)"
	[ ! -e again/refused ] || fail "$*: left something"
}
refused "--small: --distill leaves nothing to make small" --distill tape
"$KMEMTAPE" pack --distill -o distilled tape 2>/dev/null
refused "is distilled, and has no events" distilled
printf '\377\377\377\377' | dd of="cut/cpu/$cpu" bs=1 seek=200 conv=notrunc status=none
refused "make a good tape of it first (kmemtape recover)" cut
exit $failed
