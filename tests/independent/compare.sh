#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# compare.sh TAPE: kmemtape replay and a path that has nothing in common with it (zstd, awk and
# libtraceevent) find the same in TAPE, for each call site and in all. Exits 77 where that cannot be
# asked: events were lost, the tape is cut, or frees were traced late, or seen by probes.
#
# Environment: KMEMTAPE, KBUFDUMP: the programs.
set -u
LC_ALL=C
export LC_ALL

here=$(cd "$(dirname "$0")" && pwd)
: "${KMEMTAPE:=kmemtape}" "${KBUFDUMP:=kbufdump}"
tape=$1
work=$(mktemp -d "${TMPDIR:-/tmp}/independent.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT

fail()
{
	echo "compare.sh: $tape: $2" >&2
	exit "$1"
}

"$KMEMTAPE" replay --format json "$tape" >"$work/result" || fail 1 "cannot be replayed"
if jq -e '.events.lost > 0 or (.tape.complete | not) or .matching.late_frees > 0' \
	"$work/result" >"$work/why"; then
	fail 77 "lost events, is cut, or has late frees: nothing to compare"
fi

if jq -e '.events.by_name | .kfree_rcu // .kmem_cache_free_bulk' "$work/result" >"$work/why"; then
	fail 77 "has frees without an event, seen by probes: the naive path knows events only"
fi

if jq -e '.pairs // [] | length > 0' "$tape/manifest.json" >"$work/why"; then
	fail 77 "has pairs of functions: the naive path knows the kernel's own events only"
fi

# shellcheck disable=SC2046 # three words
set -- $(jq -r '(if .kernel.big_endian then "big" else "little" end), .kernel.long_bytes,
	.buffer.subbuf_bytes' "$tape/manifest.json")
for file in "$tape"/cpu/*.zst; do
	[ -e "$file" ] || continue
	cpu=$(basename "$file" .zst)
	zstd -qdc "$file" >"$work/raw" || fail 1 "$file: zstd cannot read it"
	"$KBUFDUMP" "$tape/events" "$cpu" "$1" "$2" "$3" <"$work/raw" >"$work/cpu.$cpu" || exit 1
done
rm -f "$work/raw"

set -- "$work"/cpu.*
[ -e "$1" ] || set --
awk -v page_bytes="$(jq .kernel.page_bytes "$tape/manifest.json")" \
	-v possible_cpus="$(jq '.possible_cpus // 0' "$tape/manifest.json")" \
	-v end_ns="$(jq '.ended.time_ns // 0' "$tape/manifest.json")" \
	-f "$here/naive-liveset.awk" "$@" >"$work/naive.unsorted"
status=$?
[ $status -eq 0 ] || fail $status "no naive live set"
sort "$work/naive.unsorted" >"$work/naive"

# A call site may be several rows, when a module went and another one took its addresses. Events of
# pages have none, and how many blocks they are is not compared; nor have those of vmalloc areas. Both
# are named by their stacks, which the naive path knows nothing of.
by_events=$(jq '.events | any(startswith("vmalloc:alloc_vmap_area"))' "$tape/manifest.json")
jq -r --argjson by_events "$by_events" '
	[.sites[] | .site = if .space == "page" or ($by_events and .space == "vmalloc") then "0x0" else .call_site end] |
	(group_by([.space, .site])[] | "\(.[0].space) \(.[0].site) \(map(.allocs) | add) " +
	if .[0].space == "page" then "- - - "
	else "\(map(.frees) | add) \(map(.reused) | add) \(map(.live_objects) | add) "
	end + "\(map(.live_bytes) | add)")' "$work/result" >"$work/kmemtape.unsorted"
jq -r '"total \(.events.total)"' "$work/result" >>"$work/kmemtape.unsorted"
sort "$work/kmemtape.unsorted" >"$work/kmemtape"

if ! diff "$work/naive" "$work/kmemtape" >"$work/diff"; then
	echo "compare.sh: $tape: < naive, > kmemtape: SPACE CALL_SITE ALLOCS FREES REUSED LIVE BYTES" >&2
	head -20 "$work/diff" >&2
	exit 1
fi
echo "$tape: the same: $(($(wc -l <"$work/naive") - 1)) call sites," \
	"$(sed -n 's/^total //p' "$work/naive") events"
