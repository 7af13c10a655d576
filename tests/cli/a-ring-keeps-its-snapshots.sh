#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# A ring's snapshots are in several files, of which the first ones may be gone: what becomes of such a tape has them all.
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0

fail() {
	echo "$*"
	failed=1
}

snapshots() { # TAPE
	"$KMEMTAPE" replay --format json "$1" | jq -S .reconciliation
}

for name in snapshots-are-kept counters-beyond-reason; do
	rm -rf whole.tape recovered.tape ./*.tar
	"$MKTAPE" "$KMT_TESTS/golden/$name.script" -o whole.tape || exit 1
	mv whole.tape/snapshots.zst whole.tape/snapshots-000003.zst
	snapshots whole.tape >whole
	jq -e '.snapshots == 2' whole >/dev/null || fail "$name: not its snapshots: $(cat whole)"
	"$KMEMTAPE" pack --distill -o distilled.tar whole.tape 2>err || fail "$name: $(cat err)"
	"$KMEMTAPE" pack --redact -o redacted.tar whole.tape 2>err || fail "$name: $(cat err)"
	"$KMEMTAPE" pack --range 0s.. -o range.tar whole.tape 2>err || fail "$name: $(cat err)"
	"$KMEMTAPE" recover -o recovered.tape whole.tape >lost || fail "$name: recover: $(cat lost)"
	for made in distilled.tar redacted.tar range.tar recovered.tape; do
		snapshots $made | diff whole - >changes || fail "$name: $made: $(head -n 20 changes)"
	done
done
exit $failed
