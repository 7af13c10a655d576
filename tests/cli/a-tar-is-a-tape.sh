#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Every command reads a tar as it reads the tape, whoever made it; tar(1) reads what pack makes; what is cut is said.
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0

fail() {
	echo "$*"
	failed=1
}

# Two CPUs with a leak, snapshots, a module that comes later, stray files beside the tape's own.
{
	echo "formats 6.18"
	echo "symbol ffffffff81000000 T first_alloc"
	echo "symbol ffffffff81000100 T second_alloc"
	echo "comm 1 leaker"
	for i in $(seq 200); do
		for cpu in 0 1; do
			t=$((i * 1000000 + cpu * 1000))
			p=$(printf '%04x' $((i * 2 + cpu)))
			echo "$t $cpu kmalloc call_site=0xffffffff81000010 ptr=0xffff88800${p}000 bytes_req=60 bytes_alloc=64 gfp=0xcc0 pid=1"
			[ $((i % 3)) -gt 0 ] || echo "$((t + 10)) $cpu kfree call_site=0xffffffff81000110 ptr=0xffff88800${p}000 pid=1"
			[ $((i % 50)) -gt 0 ] || echo "$((t + 20)) $cpu chunk"
		done
	done
} >script
mkdir tape pack gnu pax ustar bare
"$MKTAPE" script -o tape/x || exit 1
echo secret >tape/x/notes.txt
echo half >tape/x/symbols/0001.zst.part
"$KMEMTAPE" pack -o pack/x tape/x 2>said || fail "pack: exit $?: $(cat said)"
grep -qE '^pack/x: [0-9.]+ KiB.*kmemtape replay pack/x$' said || fail "pack said '$(cat said)'"
[ "$(stat -c %a pack/x)" = 600 ] || fail "mode of the file: $(stat -c %a pack/x)"
for format in gnu pax ustar; do
	tar cf $format/x --format=$format -C tape x
done
tar cf bare/x -C tape/x .

run() { # FORM: what each command says of it, below the name that it has in all of them
	cd "$dir/$1" || exit 1
	"$KMEMTAPE" info x
	"$KMEMTAPE" info --format json x
	"$KMEMTAPE" verify x
	"$KMEMTAPE" replay x
	"$KMEMTAPE" replay --format json x
	"$KMEMTAPE" export -o x.dat x && sha256sum <x.dat && rm x.dat
	"$KMEMTAPE" pack -o - x | sha256sum
	cd ..
}
run tape >expected 2>&1
grep -q first_alloc expected || fail "no report: $(cat expected)"
for form in pack gnu pax ustar bare; do
	run $form >out 2>&1
	diff expected out >diff || fail "$form: $(head -n 20 diff)"
done

# tar and zstd read ours, and there's nothing in it but the tape.
mkdir back
tar xf pack/x -C back 2>said || fail "tar: exit $?"
[ -s said ] && fail "tar said: $(cat said)"
diff -r tape/x back/x.tape >diff && fail "all of the directory was packed"
[ "$(cat diff)" = "Only in tape/x: notes.txt
Only in tape/x/symbols: 0001.zst.part" ] || fail "tar xf differs: $(cat diff)"
[ "$(stat -c %a back/x.tape back/x.tape/manifest.json | tr '\n' ' ')" = "700 600 " ] || fail "modes of what is unpacked"
find back -name '*.zst' -exec zstd -qt {} + || fail "zstd -t"
[ "$(tar tf pack/x | sed -n 2p)" = x.tape/manifest.json ] || fail "the manifest isn't first"

# Nothing is overwritten, and nothing stays of what failed.
"$KMEMTAPE" pack -o pack/x tape/x 2>err && fail "overwrote a file"
grep -q 'pack/x: exists' err || fail "overwriting: $(cat err)"
ln -s nowhere pack/link
"$KMEMTAPE" pack -o pack/link tape/x 2>err && fail "wrote through a link"
"$KMEMTAPE" pack -o pack/y nowhere.tape 2>err && fail "packed nothing"
"$KMEMTAPE" pack -o - tape/x >/dev/full 2>err && fail "packed into a full disk"
grep -q 'No space left' err || fail "full: $(cat err)"
rm pack/link
[ "$(ls -A pack)" = x ] || fail "left behind: $(ls -A pack)"

# Whoever ends it finds nothing left behind. The pipe has room for less than the tar.
mkfifo pipe
mkdir tmp
seq 100000 >tape/x/comms
TMPDIR=$dir/tmp "$KMEMTAPE" pack -o - tape/x >pipe 2>err &
pid=$!
exec 3<pipe
head -c 1000 <&3 >/dev/null
[ -n "$(ls tmp)" ] || fail "no directory of its own"
kill -TERM $pid
wait $pid
[ $? -eq 143 ] || fail "ended by SIGTERM: another status"
exec 3<&-
[ -z "$(ls -A tmp)" ] || fail "left behind: $(ls -A tmp)"

# A cut tar is read as far as it goes, and says so.
header=$(tar tvRf pack/x x.tape/cpu/0001.zst | sed -n '1s/^block \([0-9]*\):.*/\1/p')
mkdir cut
head -c $((header * 512 + 512 + 700)) pack/x >cut/x
"$KMEMTAPE" replay --format json cut/x >out 2>err || fail "cut: $(cat err)"
jq -e '.tape.complete == false and .events.allocs > 0 and .events.allocs < 400 and
	any(.notes[]; test("cut/x: offset [0-9]+: cut within a member")) and
	any(.notes[]; test("cut/x/cpu/0001.zst: offset [0-9]+: "))' out >/dev/null || fail "cut: $(jq -c '[.tape, .events, .notes]' out)"
"$KMEMTAPE" verify cut/x >out && fail "verify: a cut tar is good"
grep -q 'cut/x: offset [0-9]*: cut within a member' out || fail "verify: $(cat out)"
"$KMEMTAPE" info cut/x | grep -q 'problem .*cut within a member' || fail "info: $("$KMEMTAPE" info cut/x)"
head -c $((header * 512)) pack/x >cut/x
"$KMEMTAPE" replay cut/x >out 2>err && fail "replayed without a CPU"
grep -q 'cut/x/cpu/0001.zst: missing' err || fail "without a CPU: $(cat err)"
gzip <pack/x >cut/x
"$KMEMTAPE" replay cut/x 2>err && fail "replayed a compressed tar"
grep -q 'is compressed: unpack it first' err || fail "compressed: $(cat err)"
exit $failed
