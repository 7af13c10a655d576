#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# bigtapefs shows the tape that bigtape writes: another zstd frame for each chunk, the same data, checksums and result.
set -u
WORK=$(mktemp -d)
trap 'umount "$WORK/mount" 2>/dev/null; rm -rf "$WORK"' EXIT

fail()
{
	echo "FAIL: $*"
	exit 1
}

skip()
{
	echo "$*"
	exit 77
}

[ -x "${BIGTAPEFS:-}" ] || skip "needs libfuse3-dev and libxxhash-dev"
[ "$(id -u)" = 0 ] || skip "needs root, to mount"
[ -c /dev/fuse ] || skip "needs /dev/fuse"
load=(--events 700K --cpus 2 --live 20K --sites 50)
"$BIGTAPE" --repeat "${load[@]}" "$WORK/t.tape" || fail "bigtape: exit status $?"
mkdir "$WORK/mount"
"$BIGTAPEFS" "${load[@]}" "$WORK/base" "$WORK/mount" || fail "bigtapefs: exit status $?"
for file in "$WORK"/mount/cpu/*.zst; do
	zstd -tq "$file" || fail "$file: not a good .zst file"
done
mv "$WORK/t.tape" "$WORK/written"
(cd "$WORK/written" && "$KMEMTAPE" replay --format json . >"$WORK/written.json") || fail "replay: exit status $?"
(cd "$WORK/mount" && "$KMEMTAPE" verify -q . && "$KMEMTAPE" replay --format json . >"$WORK/mounted.json") ||
	fail "mounted: exit status $?"
cmp "$WORK/written.json" "$WORK/mounted.json" || fail "the result is another one"
jq -e '.tape.complete and .events.total >= 700000 and .matching.live == 20000 and .matching.unknown_frees == 0' \
	"$WORK/mounted.json" >"$WORK/out" || fail "not what was asked for"
exit 0
