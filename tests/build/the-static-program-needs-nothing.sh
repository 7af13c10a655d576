#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# -Dprefer_static=true builds a program that runs where nothing is installed, and records there.
. "$(dirname "$0")/lib.sh"

TARGETS=(kmemtape)
build -Dprefer_static=true -Dtests=false
readelf -l "$BUILT" | grep -q INTERP && fail "it wants a dynamic linker"
[ "$(id -u)" = 0 ] || exit 0
mkdir -p "$WORK/root/proc" "$WORK/root/sys" "$WORK/root/tmp"
cp "$BUILT" "$WORK/root/kmemtape"
cp -r "$KMT_TESTS/frozen/format-1.tape" "$WORK/root/"
chroot "$WORK/root" /kmemtape replay format-1.tape >"$WORK/report" || fail "it doesn't replay in an empty root"
chroot "$WORK/root" /kmemtape replay --lines format-1.tape >"$WORK/report" 2>"$WORK/err" && fail "--lines: exit 0"
[ ! -s "$WORK/report" ] && [ "$(wc -l <"$WORK/err")" = 1 ] && grep -q "built without 'lines'" "$WORK/err" ||
	fail "--lines: $(cat "$WORK/report" "$WORK/err")"
chroot "$WORK/root" /kmemtape replay --tui format-1.tape >"$WORK/report" 2>"$WORK/err" && fail "--tui: exit 0"
[ ! -s "$WORK/report" ] && [ "$(wc -l <"$WORK/err")" = 1 ] && grep -q "built without 'tui'" "$WORK/err" ||
	fail "--tui: $(cat "$WORK/report" "$WORK/err")"
[ -w /sys/kernel/tracing/events/kmem/kmalloc/enable ] || exit 0
unshare -m sh -c 'mount --rbind /proc "$1/proc" && mount --rbind /sys "$1/sys" &&
	exec chroot "$1" /kmemtape record -q -d 200ms --settle 0 -o /tmp/x.tape' sh "$WORK/root" ||
	fail "it doesn't record in an empty root"
"$BUILT" verify -q "$WORK/root/tmp/x.tape" || fail "what it recorded is damaged"

# It takes no more memory than it says: "and 11.1 MiB of memory, of 22.0 MiB at most, ..."
"$BUILT" record -o "$WORK/y.tape" -e slab,page,percpu,vmalloc --settle 0 -- sh -c 'ls -lR /sys/kernel /proc/self; sleep 1' \
	>/dev/null 2>"$WORK/log" || fail "it doesn't record: $(cat "$WORK/log")"
awk '/ of memory, of / { is_good = $3 $8 == "MiBMiB" && $2 <= $7 } END { exit !is_good }' "$WORK/log" ||
	fail "it takes more memory than it says: $(grep " of memory, of " "$WORK/log")"
grep " of memory, of " "$WORK/log"
exit 0
