#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# doctor reads this host as it is, changes nothing, names a cache that grows while it watches, and says without root what
# root would show.
. "$(dirname "$0")/lib.sh"

tracefs_state >"$WORK/before"
"$KMEMTAPE" doctor --format json >"$WORK/json" || fail "exit status $?"
jq -e '.schema == 1 and (.headline | length > 0) and (.suspicion | IN("none", "watch"))' "$WORK/json" >/dev/null ||
	fail "json: $(head -c 500 "$WORK/json")"

# Against other tools: meminfo by awk, slabinfo likewise (objects swing a little).
total=$(($(awk '$1 == "MemTotal:" { print $2 }' /proc/meminfo) * 1024))
jq -e --argjson total "$total" '.memory_bytes == $total' "$WORK/json" >/dev/null || fail "MemTotal is $total"
awk 'NR > 2 { print $15 * $6, $1 }' /proc/slabinfo | sort -rn | awk 'NR <= 3 { print $2 }' >"$WORK/largest"
jq -r '.caches[0].name' "$WORK/json" | grep -qxFf - "$WORK/largest" ||
	fail "the largest caches are $(paste -sd ' ' "$WORK/largest"), not $(jq -c '.caches[0]' "$WORK/json")"
jq -e '.vmalloc_callers | length > 0' "$WORK/json" >/dev/null || fail "no callers of vmalloc"
jq -e '[.host[] | select(.name == "tracefs" or .name == "slab events") | .answer] == ["yes", "yes"]' "$WORK/json" \
	>/dev/null || fail "host: $(jq -c .host "$WORK/json")"

"$KMEMTAPE" doctor >"$WORK/text" || fail "exit status $?"
awk 'length > 80 { exit 1 }' "$WORK/text" || fail "wider than 80 columns: $(awk 'length > 80' "$WORK/text")"
"$KMEMTAPE" doctor | head -1 >"$WORK/out" || fail "head"
[ -s "$WORK/out" ] || fail "no headline"
"$KMEMTAPE" doctor >/dev/full 2>"$WORK/err" && fail "a full disk went unnoticed"
expect_line "$WORK/err" "No space left"

# 6000 pipes in small steps: each is a kmalloc-1k or so, and an inode.
ulimit -n 20000 2>/dev/null || skip "needs 12000 descriptors"
mkfifo "$WORK/stdin"
exec 9<>"$WORK/stdin"
for n in 1 2 3 4 5 6 7 8 9 10 11 12; do
	"$HELPERS/hold" --pipes 500 <"$WORK/stdin" >/dev/null 9>&- &
	pids="${pids-} $!"
	sleep 0.25
done &
clean_up_more() { exec 9>&-; }
"$KMEMTAPE" doctor --watch 2500ms --format json >"$WORK/json" || fail "exit status $?"
jq -e '.readings == 9 and .watched_ns >= 2500000000' "$WORK/json" >/dev/null || fail "not watched as asked"
jq -e '.suspicion == "growing" and any(.caches[]; .growing and .grown_bytes > 500000)' "$WORK/json" >/dev/null ||
	fail "not growing: $(jq -c '.headline, .caches[:6]' "$WORK/json")"
exec 9>&-
wait

if command -v setpriv >/dev/null && chmod 755 "$WORK" &&
	setpriv --reuid 65534 --regid 65534 --clear-groups test -x "$KMEMTAPE"; then
	setpriv --reuid 65534 --regid 65534 --clear-groups "$KMEMTAPE" doctor >"$WORK/text" || fail "without root: $?"
	grep -q "root would see which slab caches" "$WORK/text" || fail "without root: $(cat "$WORK/text")"
	grep -q "sudo kmemtape record" "$WORK/text" || fail "without root: no sudo"
else
	echo "note: nobody can't reach $KMEMTAPE: not tried without root"
fi
tracefs_state | diff "$WORK/before" - || fail "tracefs differs"
