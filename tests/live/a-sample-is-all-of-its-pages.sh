#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Two recorders of the same load: what the one with --sample 1/8 has is, event by event, what the other one has of the
# addresses that a sample is of; nothing more, and nothing less.
. "$(dirname "$0")/lib.sh"

[ -x "$HELPERS/script/tapedump" ] || skip "needs tapedump"
[ "$(getconf PAGESIZE)" = 4096 ] || skip "knows pages of 4 KiB only"
SLAB='kmalloc|kmalloc_node|kmem_cache_alloc|kmem_cache_alloc_node|kfree|kmem_cache_free'
MARGIN=400000000 # nanoseconds: the two switch their events on and off one after the other

# slab_events NAME: "EVENT call_site=... ptr=..." of what happened while both recorded, but for frees of nothing
slab_events()
{
	dump "$WORK/$1.tape"
	events "$SLAB" | awk -v from=$from -v to=$to '$1 > from && $1 < to { print $3, $4, $5 }' |
		grep -vE ' ptr=0x(0|10)?$' | grep -v ' ptr=0$' | sort
}

tracefs_state >"$WORK/before"
start_recorder -q --settle 0 -o "$WORK/full.tape"
full=$RECORDER
"$KMEMTAPE" record -q --sample 1/8 --settle 0 -o "$WORK/sample.tape" -- sh -c '
	sleep 0.8
	for i in 1 2 3; do ls -lR /usr/share/doc >/dev/null; "$1" --pipes 500 --close-after 1 --for 300 </dev/null >/dev/null; done
	sleep 0.8' sh "$HELPERS/hold" || fail "sample: exit status $?"
RECORDER=$full
end_recorder INT
[ $STATUS = 0 ] || fail "full: exit status $STATUS: $(cat "$WORK/log")"
tracefs_state | diff "$WORK/before" - || fail "tracefs differs"

from=$(jq '.time.allocs_on_ns' "$WORK/sample.tape/manifest.json")
to=$(jq '.time.allocs_off_ns' "$WORK/sample.tape/manifest.json")
from=$((from + MARGIN)) to=$((to - MARGIN))
slab_events full | grep -E ' ptr=0x([0-9a-f]*[08])?[0-9a-f]{3}$' >"$WORK/expected"
slab_events sample >"$WORK/sampled"
[ "$(wc -l <"$WORK/expected")" -gt 1000 ] || fail "only $(wc -l <"$WORK/expected") events: nothing is shown"
diff "$WORK/expected" "$WORK/sampled" >"$WORK/difference" ||
	fail "$(grep -c '^[<>]' "$WORK/difference") of $(wc -l <"$WORK/expected") events differ: $(head -4 "$WORK/difference")"
