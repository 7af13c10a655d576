#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# An hour of 3000 call sites with 60 000 live objects at its end, one of which leaks, in many short-lived tasks: distilled it is far below
# 1 MB, says the same, and explains who leaks.
. "$KMT_TESTS/cli/distilled-lib.sh"

cat >"$work/hour.awk" <<'END'
BEGIN {
	print "kernel 6.18.0\narch x86_64\nformats 6.18\nendian little\nlong 8\nsubbuf 4096\nclock mono"
	print "start 1000\nallocs_on 1000\nallocs_off 3600000000000\nend 3600000000000\nclosed yes"
	print "symbol ffffffff81000000 T _stext"
	for (i = 0; i < 40000; i++)
		printf "symbol ffffffff8%07x T function_%d\n", 16781312 + i * 256, i
	print "symbol ffffffff82f00000 T _etext"
	srand(1)
	t = 1000
	for (i = 0; i < 100000; i++) {
		t += int(rand() * 2 * 3599e9 / 100000)
		if (t > 3599e9)
			break
		pid = 100 + int(i / 10)
		if (i % 50 == 0) {
			s = 0
			p = ++n
		} else if (live > 0 && rand() < 0.34) {
			k = int(rand() * live)
			p = ptr[k]
			ptr[k] = ptr[--live]
			printf "%.0f %d kfree call_site=function_%d+0x20 ptr=0xffff88%010x pid=%d\n",
				t, i % 4, rand() * 3000, p * 64, pid
			continue
		} else {
			s = 1 + int(rand() * rand() * 3000)
			p = ++n
			if (rand() < 0.6)
				ptr[live++] = p
		}
		printf "%.0f %d kmalloc call_site=function_%d+0x%x ptr=0xffff88%010x bytes_req=%d bytes_alloc=64 gfp=0xcc0 pid=%d\n",
			t, i % 4, s, 16 + s % 200, p * 64, 40 + s % 24, pid
	}
}
END
name=hour
awk -f "$work/hour.awk" | "$MKTAPE" - -o "$work/tape" || fail "no tape"
distill "$work/tape"
bytes=$(stat -c %s "$distilled")
echo "$(du -sb "$work/tape" | cut -f1) bytes, distilled $bytes"
[ "$bytes" -le 500000 ] || fail "$bytes bytes are too many"
"$KMEMTAPE" replay "$distilled" | head -n 1 | grep -q '^LEAK LIKELY: function_0+0x10' || fail "another verdict"
same --format json
same --explain function_0+0x10
exit $failed
