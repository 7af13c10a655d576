#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Known truth beyond the slab: a program holds N sockets with filters (an area of vmalloc() each, and per-CPU memory), N
# rings of packet sockets (4 blocks of 4 pages each) and N contexts of asynchronous I/O (per-CPU memory) across the end of
# a recording: exactly so much more is live at their call sites. Closed before the end: nothing. Areas add up to what the
# kernel counts.
. "$(dirname "$0")/lib.sh"

N=137

# record_hold TAPE SAID ARG...: hold runs within the recording until it has said that, and beyond its end
record_hold()
{
	tape=$1 until=$2
	shift 2
	rm -f "$WORK/said" "$WORK/stdin"
	mkfifo "$WORK/stdin"
	: >"$WORK/said"
	exec 9<>"$WORK/stdin"
	"$KMEMTAPE" record -q -e page,percpu,vmalloc --stack --settle 3s -o "$tape" -- "$BASH" -c '
		stdin=$1 said=$2 until=$3
		shift 3
		"$@" <"$stdin" >"$said" 9>&- &
		for _ in {1..600}; do
			! grep -q "$until" "$said" || exit 0
			sleep 0.1
		done
		exit 1' sh "$WORK/stdin" "$WORK/said" "$until" "$HELPERS/hold" "$@" ||
		fail "exit status $?"
	exec 9>&-
	"$KMEMTAPE" replay --format json "$tape" >"$WORK/json" || fail "replay"
	jq -e .tape.complete "$WORK/json" >/dev/null || fail "cut"
	jq -e '.events.lost == 0' "$WORK/json" >/dev/null || skip "events were lost: $(jq -c .events "$WORK/json")"
}

# check SPACE FUNCTION ALLOCS LIVE BYTES-EACH: where nobody else does that meanwhile
check()
{
	found=$(jq -r --arg space "$1" --arg f "$2" '[.sites[] | select(.space == $space) |
		select(.function != null and (.function | test($f)))] |
		"\(map(.allocs) | add // 0) \(map(.live_objects) | add // 0) \(map(.live_bytes) | add // 0)"' "$WORK/json")
	[ "$found" != "$3 $4 $(($4 * $5))" ] || return 0
	jq -r --arg space "$1" --arg f "$2" '.sites[] | select(.space == $space and .function != null and (.function | test($f))) |
		.symbol' "$WORK/json" | sort -u >"$WORK/symbols"
	while read -r symbol; do
		"$KMEMTAPE" replay --format json --explain "$symbol" "$tape"
	done <"$WORK/symbols" | jq -r '.explain[].allocated_by[] | .comm // .context' | sort -u | grep -vx hold >"$WORK/others"
	[ ! -s "$WORK/others" ] || skip "$1 at $2: so do others here: $(paste -sd ' ' "$WORK/others")"
	fail "$1 at $2: allocs live bytes are $found, expected $3 $4 $(($4 * $5))"
}

# areas WHEN: bytes of all areas in that snapshot
areas()
{
	zstd -dcq "$tape/snapshots.zst" | awk -v name="$1" '
		/^==> snapshot / { is_it = $6 == name; next }
		/^==> / { is_file = $2 == "/proc/vmallocinfo"; next }
		is_it && is_file && !/unpurged|vm_map_ram/ { bytes += $2 }
		END { printf "%d", bytes }'
}

has_vmalloc()
{
	jq -e '(.vmalloc // "") != ""' "$tape/manifest.json" >/dev/null
}

"$HELPERS/hold" --filters 1 --rings 1 --aios 1 --for 1 >/dev/null 2>&1 || skip "no filters, rings or aios here"
page=$(getconf PAGESIZE)
[ "$page" = 4096 ] || skip "a ring's block is 4 pages of 4096 bytes"
percpu=$(($(nproc --all) * 8)) # a struct of one word; and what the kernel counts along
record_hold "$WORK/held.tape" ready --filters $N --rings $N --aios $N
grep -q '"symbols": *"good"' "$WORK/held.tape/manifest.json" || skip "this kernel hides its symbols"
each=$(jq '[.sites[] | select(.space == "percpu" and .function == "ioctx_alloc")] | first | .live_bytes / .live_objects' "$WORK/json")
[ "$each" -ge "$percpu" ] || fail "per-CPU memory of $each bytes for $percpu"
check percpu '^ioctx_alloc$' $N $N "$each"
check page '^(packet_set_ring|alloc_pg_vec|alloc_one_pg_vec_page)' $((4 * N)) $((4 * N)) 16384
if has_vmalloc; then
	check vmalloc '^bpf_prog_alloc_no_stats$' $N $N $((2 * page)) # a guard page is part of it
	grown=$(($(areas end) - $(areas start)))
	live=$(jq '[.spaces[] | select(.space == "vmalloc") | .live_bytes] | add' "$WORK/json")
	# Of tasks that come or go between a snapshot and the events' beginning or end, the stack is in one of them only.
	stacks=$((16 * 5 * page))
	[ $((grown - live)) -le $stacks ] && [ $((live - grown)) -le $stacks ] ||
		fail "vmallocinfo grew by $grown bytes, the events make it $live"
fi

record_hold "$WORK/closed.tape" closed --filters $N --rings $N --aios $N --close-after 10
check percpu '^ioctx_alloc$' $N 0 0
check page '^(packet_set_ring|alloc_pg_vec|alloc_one_pg_vec_page)' $((4 * N)) 0 0
! has_vmalloc || check vmalloc '^bpf_prog_alloc_no_stats$' $N 0 0
exit 0
