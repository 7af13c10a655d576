#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The snapshots of a long recording are more than any limit on texts: verify and info read them in pieces, in little memory.
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0
RSS_KIB=$((128 << 10))

fail() {
	echo "$*"
	failed=1
}

# Heads of snapshots are whole lines: what looks like one within a line is none.
awk 'BEGIN {
	print "kernel 6.18.0\narch x86_64\nformats 6.18 \nendian little\nlong 8\nsubbuf 4096\nclock mono"
	print "start 1000\nallocs_on 1000\nallocs_off 9000\nend 9000\nclosed yes"
	line = "a ==> snapshot "
	while (length(line) < 60000)
		line = line line
	for (i = 0; i < 270; i++) {
		printf "snapshot %d %s\n| ==> /proc/meminfo <==\n", 1000 + i, i == 0 ? "start" : i == 269 ? "end" : "interval"
		for (k = 0; k < 18; k++)
			print "| " line
	}
}' | "$MKTAPE" - -o tape || fail "mktape"

cat >measure.py <<'END_OF_PYTHON'
import resource, subprocess, sys
status = subprocess.run(sys.argv[1:], stdout=open("out", "w"), stderr=subprocess.STDOUT).returncode
print(status, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
END_OF_PYTHON

for command in verify info; do
	read -r status rss < <(python3 measure.py "$KMEMTAPE" "$command" tape)
	[ "$status" -eq 0 ] || fail "$command: exit $status: $(cat out)"
	[ "$rss" -lt $RSS_KIB ] || fail "$command: $rss KiB"
done
grep -q '^snapshots  *270 of' out || fail "info: $(cat out)"
exit $failed
