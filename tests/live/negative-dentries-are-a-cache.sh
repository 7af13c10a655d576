#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# 200 000 names that don't exist: each look-up leaves a dentry, which stays until memory is short. They become more all
# the time, and none is freed; but the kernel can have them back, and that is what tells them from a leak.
. "$(dirname "$0")/lib.sh"

NAMES=200000

mkdir "$WORK/names"
"$KMEMTAPE" record -q -o "$WORK/names.tape" --settle 500ms -- "$BASH" -c '
	for ((i = 0; i < $2; i++)); do
		[ ! -e "$1/$i" ] || exit 1
		[ $((i % 2000)) != 0 ] || sleep 0.03
	done' sh "$WORK/names" $NAMES || fail "exit status $?"
grep -q '"symbols": *"good"' "$WORK/names.tape/manifest.json" || skip "this kernel hides its symbols"
judge "$WORK/names.tape" 500ms
jq -e '.events.lost == 0 and .events.losses == 0' "$WORK/judged" >/dev/null || skip "events were lost: $(jq -c .events "$WORK/judged")"
jq -r '.sites[] | select(.function == "__d_alloc" and .live_objects >= 1000) | "\(.class) \(.live_objects) \(.symbol)"' "$WORK/judged" >"$WORK/dentries"
cat "$WORK/dentries"
live=$(awk '{ n += $2 } END { print n + 0 }' "$WORK/dentries")
[ "$live" -ge $((NAMES / 10)) ] || skip "this filesystem keeps no negative dentries: $live"
[ "$live" -ge $NAMES ] || fail "$live dentries, not $NAMES"
! grep -v '^cache ' "$WORK/dentries" || fail "that is no cache"
expect_no_leak "$WORK/names.tape" 500ms bash
exit 0
