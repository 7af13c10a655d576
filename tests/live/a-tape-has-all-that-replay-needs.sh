#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A tape is self-contained, and ordinary tools can look at every part of it.
. "$(dirname "$0")/lib.sh"

command -v zstd >/dev/null || skip "needs zstd"
tape=$WORK/a.tape
"$KMEMTAPE" record -q -o "$tape" -d 2200ms --settle 100ms --snapshot-interval 1s ||
	fail "exit status $?"

for event in kmalloc kfree kmem_cache_alloc kmem_cache_free; do
	diff "$TRACEFS/events/kmem/$event/format" "$tape/events/kmem/$event/format" ||
		fail "format of $event"
done
for event in kmem/kmalloc_node kmem/kmem_cache_alloc_node task/task_newtask task/task_rename; do
	[ -e "$TRACEFS/events/$event" ] || continue
	[ -s "$tape/events/$event/format" ] || fail "no format of $event"
done
[ -s "$tape/events/header_page" ] && [ -s "$tape/events/header_event" ] || fail "no headers"

find "$tape" -name '*.zst' >"$WORK/files"
while read -r file; do
	zstd -qt "$file" || fail "$file is no legal zstd file"
done <"$WORK/files"

cpus=$(ls "$tape"/cpu | wc -l)
[ "$cpus" = "$(nproc --all)" ] || [ "$cpus" = "$(nproc)" ] || fail "$cpus CPU files"
subbuf=$(sed -n 's/.*"subbuf_bytes": *\([0-9]*\).*/\1/p' "$tape/manifest.json")
for file in "$tape"/cpu/*.zst; do
	bytes=$(zstd -dc "$file" | wc -c)
	[ $((bytes % subbuf)) = 0 ] || fail "$file: $bytes bytes are no whole sub-buffers of $subbuf"
done

zstd -dc "$tape/symbols/kallsyms.zst" | cmp - /proc/kallsyms || fail "kallsyms differs"
grep -qE '^kernel [0-9a-f]{40}$' "$tape/symbols/build-ids" || fail "no build-id of the kernel"
[ -e "$tape/symbols/modules" ] || fail "no list of modules"
[ "$(wc -l <"$tape/symbols/modules")" = "$(cat /proc/modules 2>/dev/null | wc -l)" ] ||
	fail "the list of modules"
grep -qP "^$$\tbash$" "$tape/comms" || fail "we aren't in comms"
[ -z "$(cut -f1 "$tape/comms" | sort | uniq -d)" ] || fail "a pid is twice in comms"

zstd -dc "$tape/snapshots.zst" >"$WORK/snapshots"
[ "$(grep -c '^==> snapshot .* start <==$' "$WORK/snapshots")" = 1 ] || fail "no snapshot at start"
[ "$(grep -c '^==> snapshot .* end <==$' "$WORK/snapshots")" = 1 ] || fail "no snapshot at the end"
between=$(grep -c '^==> snapshot .* interval <==$' "$WORK/snapshots")
[ "$between" -ge 1 ] && [ "$between" -le 3 ] || fail "$between in between, not 2 or so" # of each second, if the machine is fast enough
for file in meminfo slabinfo vmallocinfo vmstat zoneinfo buddyinfo; do
	[ -r /proc/$file ] || continue
	[ "$(grep -c "^==> /proc/$file <==$" "$WORK/snapshots")" = $((between + 2)) ] || fail "no /proc/$file"
done
if [ -r /sys/kernel/slab/dentry/reclaim_account ]; then
	sed -n '/^==> .sys.kernel.slab reclaim_account <==$/,/^==> .proc/{/^==>/!p}' "$WORK/snapshots" | sort >"$WORK/flags"
	# merged caches have an entry for each of their names; the made up ones begin with a colon
	grep -lx 1 /sys/kernel/slab/*/reclaim_account | sed 's|.*slab/||;s|/.*||;/^:/d' | sort | diff "$WORK/flags" - ||
		fail "not the caches that can be shrunk"
fi

# The first thread, one for each CPU, the one that syncs, and the janitor.
pids=$(tr -d ' \n' <"$tape/manifest.json" | sed -n 's/.*"recorder_pids":\[\([^]]*\)\].*/\1/p')
[ "$(echo "$pids" | tr ',' '\n' | wc -l)" = $((cpus + 3)) ] || fail "recorder's own pids: $pids"
is_closed "$tape" || fail "not closed"
