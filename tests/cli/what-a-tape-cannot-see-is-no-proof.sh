#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The same leak, as sure as can be, is just possible where the tape itself may be why frees are missing.
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0

# A minute; one in eight objects of foo_alloc stays.
events() {
	awk 'BEGIN {
		for (i = 1; i <= 12000; i++) {
			t = 1000000000 + i * 5000000
			stays = i % 8 == 1
			ptr = sprintf("0xffff8880%08x", (stays ? 100000 + i : i % 1000 + 1) * 64)
			printf "%.0f %d kmalloc call_site=foo_alloc+0x10 ptr=%s bytes_req=60 bytes_alloc=64 gfp=0xcc0 pid=1\n", t, i % 2, ptr
			if (!stays)
				printf "%.0f %d kfree call_site=last+0x10 ptr=%s pid=1\n", t + 500000, i % 2, ptr
		}
	}'
}

# Per-CPU memory without the event of its free, as 'trace-cmd record -e percpu:percpu_alloc_percpu' would.
percpu_events() {
	awk 'BEGIN {
		for (i = 1; i <= 6000; i++)
			printf "%.0f 0 percpu_alloc_percpu call_site=foo_alloc+0x10 size=64 align=8 ptr=0x%x bytes_alloc=128 gfp=0xcc0\n",
				1000000000 + i * 10000000, 4096 + i * 64
	}'
	echo "$1"
}

events >slab
percpu_events '60900000000 0 kfree call_site=last+0x10 ptr=0 pid=1' >percpu-without-frees
percpu_events '60900000000 0 percpu_free_percpu ptr=0x40' >percpu

says() { # HEADLINE EVENTS [HEADER-LINE...]
	local wanted=$1 events=$2
	shift 2
	{
		printf '%s\n' "formats 6.18 percpu" "start 1000000000" "allocs_on 1000000000" \
			"allocs_off 61000000000" "end 61000000000" "closed yes" "$@" \
			"symbol ffffffff81000000 T foo_alloc" "symbol ffffffff81000200 T last"
		cat "$events"
	} >script
	rm -rf tape
	"$MKTAPE" script -o tape || exit 1
	"$KMEMTAPE" replay --format json tape >json || failed=1
	jq -r .verdict.headline json | grep -qE -- "$wanted" || {
		echo "$events, $*: $(jq -r .verdict.headline json), wanted $wanted"
		failed=1
	}
}

says '^LEAK LIKELY: foo_alloc' slab
says '^POSSIBLE LEAK: foo_alloc.* not sure: by clock local ' slab "clock local"
says '^POSSIBLE LEAK: foo_alloc.* not sure: trace-cmd' slab "recorder trace-cmd 3.1.6"
# By size, all of a cache pass or none: whoever takes an address of it again is on the tape.
says '^LEAK LIKELY: foo_alloc' slab "filter kmem:kmalloc bytes_alloc >= 64"
says '^POSSIBLE LEAK: foo_alloc.* not sure: a filter ' slab "filter kmem:kmalloc common_pid == 1"
says '^LEAK LIKELY: foo_alloc' slab "filter percpu:percpu_alloc_percpu common_pid == 1"
says '^LEAK LIKELY: foo_alloc' percpu
says '^POSSIBLE LEAK: foo_alloc.* not sure: not a single free ' percpu-without-frees
exit $failed
