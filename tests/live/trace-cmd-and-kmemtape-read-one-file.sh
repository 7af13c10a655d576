#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A trace.dat that trace-cmd records now, on this kernel, and one made of a tape that kmemtape records: trace-cmd and
# kmemtape read the same events of all kinds and the same stacks from it. Whatever else runs here, and whatever is lost:
# it is one and the same file.
. "$(dirname "$0")/lib.sh"
. "$KMT_TESTS/cli/trace-dat-lib.sh"

command -v trace-cmd >/dev/null || skip "needs trace-cmd"
cd "$WORK" || exit 99

make_trace_cmd_record

# Each kind of event happens in it, and it ends soon: trace-cmd's report is slow.
hold() { timeout 60 "$@" "$HELPERS/hold" --pipes 50 "${others[@]}" --close-after 1 --for 20; }
others=(--filters 20 --rings 2 --aios 20)
"$HELPERS/hold" "${others[@]}" --for 1 >said 2>&1 || others=()

# compare NAME: of NAME.dat and NAME.tape
compare()
{
	same_events "$1.dat" "$1.tape" 200 || fail "$1: trace-cmd and kmemtape read other events"
	"$KMEMTAPE" replay --format json "$1.dat" >json || fail "$1: replay: exit $?"
	same_numbers json || fail "$1: $(jq -c .events json)"
	# trace-cmd may miss marks at the beginning of a page, but not the other way round.
	dropped=$(grep -c 'EVENTS DROPPED' reported)
	[ "$(jq .events.losses json)" -ge "$dropped" ] || fail "$1: trace-cmd sees $dropped losses, kmemtape $(jq .events.losses json)"
	counts ours our-stacks >numbers
	echo "$1: $dropped losses, $(paste -sd ' ' numbers)"
}

# expect_kinds EVENT...: in `numbers` are all of these that this kernel has and that hold makes
expect_kinds()
{
	for event in "$@"; do
		has_events "$event" || continue
		[ ${#others[@]} -gt 0 ] || [[ $event == [kf]* ]] || continue
		grep -q " ${event#*/}$" numbers || fail "no ${event#*/}"
	done
}

# check NAME OPTION...: of trace-cmd record
check()
{
	name=$1
	shift
	hold unshare -m bash ./trace-cmd-record -o "$name.dat" "$@" >said 2>&1
	[ -s "$name.dat" ] || skip "trace-cmd can't record here: $(tail -n 1 said)"
	if ! trace-cmd report -i "$name.dat" 2>/dev/null | grep -qE ' (k|mm_)[a-z_]+: '; then
		echo "$name: trace-cmd recorded nothing"
		return
	fi
	"$KMEMTAPE" import -o "$name.tape" "$name.dat" || fail "$name: import: exit $?"
	compare "$name"
}

slab=(-e kmem:kmalloc -e kmem:kfree -e kmem:kmem_cache_alloc -e kmem:kmem_cache_free)
all=(-e kmem)
for system in percpu vmalloc; do
	[ ! -e "$TRACEFS/events/$system" ] || all+=(-e $system)
done

# Of allocations hold's only, and all frees.
allocs=(kmem/{kmalloc,kmem_cache_alloc,mm_page_alloc} percpu/percpu_alloc_percpu vmalloc/alloc_vmap_area ftrace/kernel_stack)
frees=(kmem/{kfree,kmem_cache_free,mm_page_free} percpu/percpu_free_percpu vmalloc/free_vmap_area_noflush)
hold "$KMEMTAPE" record -q -e all --stack --comm hold --no-probes --settle 0 --max-size 8M -o ours.tape -- >said 2>&1 || fail "record: $(cat said)"
"$KMEMTAPE" export -o ours.dat ours.tape || fail "export: exit $?"
compare ours
expect_kinds "${allocs[@]}" "${frees[@]}"

check plain -C mono -b 4000 "${slab[@]}"
check version-6 --file-version 6 -b 4000 "${slab[@]}"
check lossy -C mono -b 8 -s 50000 "${slab[@]}"
check all -C mono -b 16000 -T -F "${all[@]}"
[ ! -s all.tape/manifest.json ] || expect_kinds "${allocs[@]}"
[ -s json ] || fail "trace-cmd never recorded anything"
exit 0
