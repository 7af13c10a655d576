#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What pack --redact makes doesn't depend on where the kernel was: the golden tapes again, as if that kernel had chosen other
# bases at random (the direct map, vmalloc: multiples of 1 GiB; text: of 2 MiB; modules: of a page), or the machine had its memory
# elsewhere (page frames), become the same bytes.
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0
nr=0
moved=0

fail() {
	echo "$*"
	failed=1
}

# move SCRIPT: with other bases
move() {
	perl -pe '
		s/ffff888([0-9a-f]{9})\b/sprintf("ffff%012x", hex("888$1") + 0x1a7640000000)/ge;
		s/ffffc9([0-9a-f]{10})\b/sprintf("ffff%012x", hex("c9$1") + 0x123480000000)/ge;
		s/ffffffff81([0-9a-f]{6})\b/sprintf("ffffffff%08x", hex("81$1") + 0x1be00000)/ge;
		s/ffffffffc0([0-9a-f]{6})\b/sprintf("ffffffffc0%06x", hex($1) + 0x15000)/ge;
		s/\bfunc=(\d{15,})\b/"func=" . ($1 + 0x1a7640000000)/ge;
		s/\bpfn=(0x(?!f{8}\b|f{16}\b)[0-9a-f]+)/sprintf("pfn=0x%x", hex($1) + 0x5a0000)/ge;
		s/\bc1([0-9a-f]{6})\b/sprintf("%08x", hex("c1$1") + 0x8e00000)/ge;
	' "$1"
}

# redact SCRIPT NAME: NAME.tape of it
redact() {
	rm -rf made.tape "$2.tape" "$2.tar"
	"$MKTAPE" "$1" -o made.tape && "$KMEMTAPE" pack --redact -o "$2.tar" made.tape 2>"$2.said" && tar xf "$2.tar"
}

for script in "$KMT_TESTS"/golden/*.script; do
	name=$(basename "$script")
	nr=$((nr + 1))
	[ $((nr % 2)) = 1 ] || continue # the others: redacted-tapes-tell-no-address
	move "$script" >moved.script
	! cmp -s "$script" moved.script || continue
	moved=$((moved + 1))
	redact "$script" here || fail "$name: $(cat here.said)"
	redact moved.script there || fail "$name: $(cat there.said), at other bases"
	diff -r here.tape there.tape >changes || fail "$name: $(cat changes)"
done
[ $moved -ge 30 ] || fail "only $moved of $nr were moved"
exit $failed
