#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# -Dprefer_static=true builds a program that runs where nothing is installed, and records there.
. "$(dirname "$0")/lib.sh"

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
[ -w /sys/kernel/tracing/events/kmem/kmalloc/enable ] || exit 0
unshare -m sh -c 'mount --rbind /proc "$1/proc" && mount --rbind /sys "$1/sys" &&
	exec chroot "$1" /kmemtape record -q -d 200ms --settle 0 -o /tmp/x.tape' sh "$WORK/root" ||
	fail "it doesn't record in an empty root"
"$BUILT" verify -q "$WORK/root/tmp/x.tape" || fail "what it recorded is damaged"
exit 0
