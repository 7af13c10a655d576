#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# replay --lines names the source line of each call site, from debug information of that very build and of no other;
# without --lines nothing is looked for, and nothing is ever asked of the network unless the user has said so.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lines-lib.sh"

NONE=$(sed 's/ .*/ -/' <<<"$WANTED")

compare "--debuginfo DIR" "$(sites --debuginfo dbg)" "$WANTED"
compare "without --lines" "$(sites)" "$NONE"
compare "--lines, and nothing is there" "$(sites --lines)" "$NONE"
grep -q "no source lines of the kernel (build-id $KERNEL_ID)" json || fail "no note of the kernel: $(jq -c .notes json)"
grep -q "no source lines of module lab (build-id $MODULE_ID)" json || fail "no note of the module: $(jq -c .notes json)"
compare "a vmlinux alone" "$(sites --lines --debuginfo dbg/vmlinux)" "$(sed 's/\(.*leak\) .*/\1 -/' <<<"$WANTED")"
compare "a module alone" "$(sites --debuginfo dbg/lab.ko)" "$(sed 's/^\([df][^ ]*\) .*/\1 -/' <<<"$WANTED")"

# The text has them, too, and who frees.
"$KMEMTAPE" replay --top 0 --debuginfo dbg tape >text 2>err || fail "text: $(cat err)"
grep -q 'leak+0x.* \[lab\] (out of tree)  lab.c:4' text || fail "the report doesn't say lab.c:4: $(grep leak text)"
[ -z "$(awk 'length > 80' text)" ] || fail "wider than 80 columns: $(awk 'length > 80' text)"
"$KMEMTAPE" replay --explain d_alloc --debuginfo dbg tape >text 2>err || fail "text: $(cat err)"
grep -q '^  fs/slab.h:3   < fs/dentry.c:12   call site' text || fail "--explain doesn't say where it is: $(head -n 20 text)"
grep -q 'd_free+.*  fs/dentry.c:17$' text || fail "--explain doesn't say who frees: $(grep d_free text)"
"$KMEMTAPE" replay --explain d_alloc --debuginfo dbg --format json tape >json
[ "$(jq -r '.explain[0].freed_by[0].lines' json)" = fs/dentry.c:17 ] || fail "explain as JSON doesn't say who frees"

# Each frame of a stack has its own.
frames=$(sites --debuginfo dbg >/dev/null
	jq -r '.sites[] | select(.lines == "fs/dentry.c:7") | [.frames[]? | .lines] | join(" ")' json)
[ "$frames" = "fs/dentry.c:7 fs/dentry.c:11 lab.c:5" ] || fail "the frames of fill() are at '$frames'"
"$KMEMTAPE" replay --explain fill --debuginfo dbg tape >text
for line in 'd_alloc+.*fs/dentry.c:11' 'leak+.* lab.c:5'; do
	grep -q "$line" text || fail "the tree of stacks has no $line: $(cat text)"
done

# Another build of the same source is refused.
mkdir other
must gcc -nostdlib -static -no-pie -Wl,--build-id=0x$MODULE_ID -Wl,-Ttext=0x1000000 -Wl,-e,d_alloc \
	-o other/vmlinux dentry.o other.o
compare "another build" "$(sites --debuginfo other | grep -v leak)" "$(grep -v leak <<<"$NONE")"
grep -q "other/vmlinux is of another build ($MODULE_ID)" json || fail "no note of another build: $(jq -c .notes json)"
"$KMEMTAPE" replay --debuginfo other tape | sed 's/^ *//' | tr '\n' ' ' | grep -q "note: no source lines of the kernel" ||
	fail "the report has no note"

# Garbage is no reason to fail, a path that isn't there is one.
head -c 3000 dbg/vmlinux >other/vmlinux
sites --debuginfo other >/dev/null
"$KMEMTAPE" replay --debuginfo nowhere tape >out 2>err && fail "--debuginfo nowhere: exit 0"
[ "$(wc -l <err)" = 1 ] && grep -q 'nowhere: No such file' err || fail "--debuginfo nowhere: $(cat err)"
[ ! -s out ] || fail "--debuginfo nowhere: a report"

# What a compiler wrote into a file cannot speak to the terminal.
evil=$(printf 'x\033[31m\n.c')
cp src/lab.c "src/$evil"
(cd src && must gcc $flags -mcmodel=kernel -c -o ../lab.o "$evil")
must ld -r --build-id=0x$MODULE_ID -o other/lab.ko lab.o
compare "evil names" "$(sites --debuginfo other | grep leak | head -n 1)" 'cold_leak x\x1b[31m\x0a.c:9'
"$KMEMTAPE" replay --top 0 --debuginfo other tape >text
grep -q "$(printf '\033')" text && fail "an escape sequence is in the report"
grep -qF 'x\x1b[31m\x0a.c:4' text || fail "evil names: $(grep leak text)"

# What is opened and asked: nothing, and of the network never anything. ASan cannot be traced with its leak check on.
if strace -o /dev/null true 2>/dev/null; then
	export ASAN_OPTIONS=detect_leaks=0
	strace -f -o trace "$KMEMTAPE" replay tape >/dev/null 2>&1
	grep -E 'vmlinux|\.ko|/usr/lib/debug|lib/modules|debuginfod' trace && fail "without --lines, these were opened"
	strace -f -o trace "$KMEMTAPE" replay --lines tape >/dev/null 2>&1
	grep -q 'vmlinux-6.18.0' trace || fail "--lines: the usual places were not looked at"
	grep -E 'socket\(|connect\(|libcurl|libdebuginfod' trace && fail "something was asked though DEBUGINFOD_URLS is not set"
fi
exit $failed
