#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What was not asked for is not on the tape; frees are, and each allocation has the stack that it should have.
. "$(dirname "$0")/lib.sh"

[ -x "$HELPERS/script/tapedump" ] || skip "needs tapedump"
ALLOCS='kmalloc|kmalloc_node|kmem_cache_alloc|kmem_cache_alloc_node'
FREES='kfree|kmem_cache_free'
find=$WORK/kmt_find
cp "$(command -v find)" "$find" || skip "needs find"
tracefs_state >"$WORK/before"

# record OPTION...: of what a task called kmt_find does, to $WORK/a.tape and $WORK/dump
record()
{
	rm -rf "$WORK/a.tape"
	"$KMEMTAPE" record -q -o "$WORK/a.tape" --settle 100ms "$@" -- "$find" /usr/share /proc/self -name none \
		2>"$WORK/log" || fail "'$*': exit status $?: $(cat "$WORK/log")"
	tracefs_state | diff "$WORK/before" - || fail "'$*': tracefs differs"
	dump "$WORK/a.tape"
}

# The bits above those within a page: of 4 KiB pages, the fourth hexadecimal digit.
if [ "$(getconf PAGESIZE)" = 4096 ]; then
	for n in 2 4 8; do
		case $n in
		2) digits=02468ace ;;
		4) digits=048c ;;
		8) digits=08 ;;
		esac
		record --sample 1/$n
		expect_all "$ALLOCS|$FREES" " ptr=0x([0-9a-f]*[$digits])?[0-9a-f]{3}( |$)"
		expect_all "$FREES" " ptr=0x[0-9a-f]{5,}" # of no object: left out
		[ "$(jq .sample_mask "$WORK/a.tape/manifest.json")" = $(((n - 1) << 12)) ] || fail "1/$n: sample_mask"
		[ "$(jq .sample "$WORK/a.tape/manifest.json")" = $n ] || fail "1/$n: sample"
		jq -e '.incompat == ["sampling"]' "$WORK/a.tape/manifest.json" >/dev/null || fail "1/$n: incompat"
	done
fi
record --sample 1/16 -e slab,page
expect_all mm_page_alloc " pfn=0x[0-9a-f]*0 "
events mm_page_free | grep -qvE " pfn=0x[0-9a-f]*0 " || fail "frees of pages were sampled, too"
[ "$(jq .sample_page_mask "$WORK/a.tape/manifest.json")" = 15 ] || fail "sample_page_mask"

record --min-size 4096
expect_all "$ALLOCS" ' bytes_alloc=(409[6-9]|4[1-9][0-9]{2}|[5-9][0-9]{3}|[0-9]{5,})( |$)'
events "$FREES" | wc -l >"$WORK/frees"
[ "$(cat "$WORK/frees")" -gt "$(wc -l <"$WORK/events")" ] || fail "--min-size: frees were filtered, too"
jq -e '.filters == [.events[] | select(test("alloc")) | { event: ., text: "bytes_alloc >= 4096" }]' \
	"$WORK/a.tape/manifest.json" >/dev/null || fail "filters: $(jq -c .filters "$WORK/a.tape/manifest.json")"

record --pid $$
events "$ALLOCS" >"$WORK/events" && fail "--pid: not by $$: $(head -3 "$WORK/events")"

record --comm kmt_find -e all --stack
expect_all "$ALLOCS|mm_page_alloc" " pid=$(events kmalloc | head -1 | grep -oE 'pid=[0-9]+$' | cut -d= -f2)$"
pid=$(events kmalloc | head -1 | grep -oE '[0-9]+$')
allocs=$(events "$ALLOCS|mm_page_alloc|percpu_alloc_percpu|alloc_vmap_area" | wc -l)
stacks=$(events kernel_stack | grep -c " pid=$pid$")
[ $stacks = $allocs ] || fail "$allocs allocations have $stacks stacks"
[ "$(events kernel_stack | wc -l)" = $stacks ] || fail "there are stacks of what was filtered"

record -e slab,page --sample 1/4
events kernel_stack >/dev/null || fail "pages have no stack"
[ "$(jq -r .stacks "$WORK/a.tape/manifest.json")" = page ] || fail "stacks: $(jq .stacks "$WORK/a.tape/manifest.json")"
record -e slab,page --no-stack
events kernel_stack >/dev/null && fail "--no-stack: there are stacks"

if grep -q ' name;' "$TRACEFS/events/kmem/kmem_cache_alloc/format"; then
	record --cache filp
	expect_all "$ALLOCS" '^[0-9]+ [0-9]+ kmem_cache_alloc .* name=filp( |$)'
	record --cache 'vm_*' --min-size 100
	expect_all "$ALLOCS" ' name=vm_'
fi
record --cache kmalloc-512
expect_all "kmalloc" " bytes_alloc=$(cat /sys/kernel/slab/kmalloc-512/slab_size 2>/dev/null || echo 512)( |$)"

# What can't be done is told before anything is on.
refuse()
{
	text=$1
	shift
	rm -rf "$WORK/a.tape"
	timeout 60 "$KMEMTAPE" record -q -o "$WORK/a.tape" -d 100ms "$@" 2>"$WORK/log"
	[ $? = 1 ] || fail "'$*': exit status $?"
	expect_line "$WORK/log" "$text"
	[ ! -e "$WORK/a.tape" ] || fail "'$*': left a tape"
	tracefs_state | diff "$WORK/before" - || fail "'$*': tracefs differs"
}
refuse "leave it out" -e percpu --sample 1/8
refuse "can't choose among events of page memory" -e slab,page --cache dentry
refuse "means too many caches" --cache '*'
[ -e /proc/modules ] || refuse "takes no modules" --module kvm
