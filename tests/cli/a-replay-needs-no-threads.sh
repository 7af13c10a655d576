#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Where no thread can be made, or too few for all shards, a replay does it alone, and the report is the same. As root: who may
# do without threads has to be somebody else, because no limit of processes holds for root.
set -u
[ "$(id -u)" = 0 ] && command -v setpriv >/dev/null || exit 77
dir=$(mktemp -d "${TMPDIR:-/tmp}/threads.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0

"$MKTAPE" "$KMT_TESTS/golden/the-recorder-is-set-apart.script" -o made.tape || exit 1
cp "$KMEMTAPE" kmemtape # the build needn't be open to everybody
chmod -R a+rX .
"$KMEMTAPE" replay --format json --threads 0 made.tape >expected || exit 1

# with NR ARGUMENT...: as somebody who may have so many processes and threads
with() {
	ASAN_OPTIONS=detect_leaks=0 timeout 100 setpriv --reuid=54321 --regid=54321 --clear-groups prlimit --nproc="$1" ./kmemtape "${@:2}"
}

for nr in 1 2 3 5 9; do
	with $nr replay --format json --threads 6 made.tape >got 2>why && cmp -s got expected && continue
	echo "$nr threads at most: exit status $?: $(cat why)"
	failed=1
done
exit $failed
