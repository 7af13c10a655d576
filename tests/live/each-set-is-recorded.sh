#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# -e records the sets that it names and no other, with their formats, and what is missing is told.
. "$(dirname "$0")/lib.sh"

# Makes events of all kinds: processes have page tables and per-CPU counters; programs of sockets are areas, and are given
# back by RCU and a worker, within a second.
work()
{
	echo 'for i in 1 2 3 4 5 6 7 8; do (ls -lR /usr/share/doc >/dev/null); done'
	echo "'$HELPERS/hold' --filters 20 --close-after 1 --for 1000 </dev/null"
}

declare -A of=(
	[slab]="kmem/kmalloc kmem/kfree kmem/kmem_cache_alloc kmem/kmem_cache_free"
	[page]="kmem/mm_page_alloc kmem/mm_page_free"
	[percpu]="percpu/percpu_alloc_percpu percpu/percpu_free_percpu"
	[vmalloc]="vmalloc/alloc_vmap_area vmalloc/free_vmap_area_noflush"
)

# check_set SET: its events are on the tape $WORK/a.tape, and no other's
check_set()
{
	local set event

	for set in slab page percpu vmalloc; do
		for event in ${of[$set]}; do
			if [ "$1" = "$set" ] || [ "$1" = all ]; then
				cmp "$TRACEFS/events/$event/format" "$WORK/a.tape/events/$event/format" ||
					fail "-e $1: format of $event"
				events "${event#*/}" >/dev/null || fail "-e $1: no $event"
			else
				[ ! -e "$WORK/a.tape/events/$event" ] || fail "-e $1: $event, too"
			fi
		done
	done
	events mm_page_free_batched >/dev/null && fail "-e $1: frees of pages are there twice"
	return 0
}

[ -x "$HELPERS/script/tapedump" ] || skip "needs tapedump"
tracefs_state >"$WORK/before"
for set in slab page percpu vmalloc all; do
	if [ $set != all ] && ! has_events ${of[$set]}; then
		echo "note: this kernel has no events of $set"
		continue
	fi
	has_events ${of[*]} || [ $set != all ] || continue
	"$KMEMTAPE" record -q -o "$WORK/a.tape" -e $set --settle 100ms -- sh -c "$(work)" || fail "-e $set: exit status $?"
	dump "$WORK/a.tape"
	check_set $set
	[ $set = all ] && sets=slab,page,percpu,vmalloc || sets=$set
	[ "$(jq -r .sets "$WORK/a.tape/manifest.json")" = $sets ] || fail "-e $set: the manifest says $(jq .sets "$WORK/a.tape/manifest.json")"
	grep -qE "^sets +$sets$" "$WORK/info" || fail "info doesn't tell the sets"
	[ "$(jq .possible_cpus "$WORK/a.tape/manifest.json")" -ge "$(nproc)" ] || fail "possible CPUs"
	if [ $set = vmalloc ] || [ $set = all ]; then
		jq -e '.vmalloc == "events" or .vmalloc == "probes"' "$WORK/a.tape/manifest.json" >/dev/null ||
			fail "-e $set: vmalloc: $(jq .vmalloc "$WORK/a.tape/manifest.json")"
	fi
	rm -r "$WORK/a.tape"
done
tracefs_state | diff "$WORK/before" - || fail "tracefs differs"
