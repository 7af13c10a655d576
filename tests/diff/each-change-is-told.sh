#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# `diff A B`: gone, new, grown, shrunk, the same; and that it can't be told where a tape can't tell. Matched by names only.
. "$KMT_TESTS/diff/lib.sh"

make leak leak=10
make healthy foo_build=3c
make lossy foo_build=3c lost=5
make leak-lossy leak=10 lost=5

compare 0 leak.tape healthy.tape
says 'FIXED: foo_alloc [foo] leaks in A (+2.20 MiB/h), and not in B'
tells 'gone        foo_alloc [foo]  kmalloc-64'
tells 'left 31.2 KiB -> 0 B'
holds '.answer == "fixed" and .changes.gone == 1 and .changes.quiet == 2'
holds '.items[0] | .change == "gone" and .function == "foo_alloc" and .module == "foo" and .matched_by == "function"'
holds '[.items[] | select(.matched_by == "offset")] | length == 2'
holds '.items[0].a.left_bytes_per_million_allocs > 1.7e6 and .items[0].b.left_bytes_per_million_allocs == 0'

compare 3 healthy.tape leak.tape
says 'WORSE: foo_alloc [foo] leaks in B (+2.20 MiB/h), and not in A'
holds '.answer == "worse" and .changes.new == 1'

make leak-again leak=10
make healthy-again foo_build=3c
compare 0 leak.tape leak-again.tape
says 'NOT FIXED: foo_alloc [foo] leaks in B as it does in A'
holds '.answer == "not-fixed" and .changes.same == 1 and .items[0].matched_by == "offset" and (.same_recording | not)'
compare 0 healthy.tape healthy-again.tape
says 'NO LEAK in A, and none in B'
holds '.answer == "no-leak" and .changes.quiet == 3'

# The same recording twice, in whatever form, says nothing of a fix.
make named leak=10 host=fig
"$KMEMTAPE" pack --redact --distill -o named.tar named.tape 2>/dev/null || fail "redact: exit $?"
"$KMEMTAPE" replay --format json --grace 20s named.tape >named.json || fail "replay: exit $?"
"$KMEMTAPE" export -o named.dat named.tape || fail "export: exit $?"
for other in named.tape named.tar named.json named.dat; do
	compare 0 named.tape $other
	says 'CANNOT TELL: A and B are the same recording'
	holds '.answer == "cannot-tell" and .same_recording'
done
compare 0 healthy.tape healthy.tape
says 'CANNOT TELL: A and B are the same recording'
# Nor is it the same if only its times are.
for change in '.tape.host = "pear"' '.tape.kernel = "6.12.0"' '.events.frees += 1' \
	'.tape.start_ns += 1 | .tape.end_ns += 1' '(.tape.build_ids[] | select(.module | not)).build_id = "77"'; do
	jq "$change" named.json >other.json
	compare 0 named.tape other.json
	holds '.same_recording | not'
done

# Other addresses, and another build: what moved within its function is the same all the same.
make kaslr leak=10 base=ffffffff92000000 module=ffffffffc0a00000
compare 0 leak.tape kaslr.tape
says 'NOT FIXED: foo_alloc [foo] leaks in B as it does in A'
holds '.changes.same == 1 and .changes.quiet == 2 and .same_kernel_build and all(.items[]; .matched_by == "offset")'
make other leak=10 build=9f foo_build=8e shift=64 suffix=.constprop.0 kernel=6.19.0 base=ffffffff83000000
compare 0 leak.tape other.tape
says 'NOT FIXED: foo_alloc'
tells 'it is not known to be the same build of the kernel'
holds '.changes.same == 1 and .changes.quiet == 2 and (.same_kernel_build | not) and all(.items[]; .matched_by == "function")'
# Or has another name there, of what is inlined into what: nobody knows that it is another leak.
make renamed leak=10 build=9f foo_build=8e suffix=_outer
compare 0 leak.tape renamed.tape
says 'CANNOT TELL: foo_alloc'
holds '.changes.new == 0 and .changes.gone == 0 and .changes["cannot-tell"] == 2'
holds 'any(.items[]; .why | test("under another name"))'
# A structure that grew is in another cache.
make bigger leak=10 foo_build=4d bytes=96
compare 3 leak.tape bigger.tape
holds '.changes.grown == 1 and .changes.gone == 0 and .changes.new == 0 and .items[0].matched_by == "name"'
# Without build ids nobody knows that offsets are the same.
make nameless leak=10 build=
compare 0 leak.tape nameless.tape
holds '.changes.same == 1 and (.same_kernel_build | not)'

# Faster and slower: by time and by allocations.
make faster leak=3
make slower leak=40
compare 3 leak.tape faster.tape
says 'WORSE: foo_alloc [foo] leaks faster in B'
holds '.answer == "worse" and .changes.grown == 1'
compare 0 leak.tape slower.tape
says 'BETTER, NOT FIXED: foo_alloc [foo] leaks in B, too, but more slowly'
holds '.answer == "better" and .changes.shrunk == 1'
# Twice as long, and three times the load: it is the same leak.
make longer leak=10 seconds=120
compare 0 leak.tape longer.tape
holds '.changes.same == 1'
make busier leak=10 rate=300
compare 0 leak.tape busier.tape
holds '.changes.same == 1 and (.items[0].why | test("faster by time, and the same by allocations"))'
holds '.items[0] | .b.growth_bytes_per_s > 2.5 * .a.growth_bytes_per_s'
# Two leaks, one of them fixed.
make both leak=10 core_leak=8
compare 0 both.tape leak.tape
says 'BETTER, NOT FIXED: foo_alloc [foo] leaks in B as it does in A'
says '(others: 1 gone)'

# A tape that lost events, is short, or never came there is no proof.
compare 0 leak.tape lossy.tape
says 'CANNOT TELL: foo_alloc [foo] leaks in A'
says 'but B lost 5 events'
grep -q '^B: LOST 5 EVENTS' text || fail "$what: not a word of the loss"
[ "$(grep -n LOST text | cut -d: -f1)" -lt "$(grep -n '^A: leak.tape' text | cut -d: -f1)" ] || fail "$what: the loss comes late"
holds '.answer == "cannot-tell" and .changes["cannot-tell"] == 1'
compare 0 lossy.tape leak.tape
says 'CANNOT TELL: foo_alloc [foo] leaks in B'
compare 0 healthy.tape lossy.tape
says 'CANNOT TELL: neither shows a leak, but B lost 5 events'
compare 0 leak-lossy.tape healthy.tape
holds '.changes.new == 0 and .changes.grown == 0'
# Which fails for who asks for it, and so does what may have grown; what can be told doesn't.
compare 3 leak.tape lossy.tape --fail-on cannot-tell
says 'CANNOT TELL'
compare 3 healthy.tape lossy.tape --fail-on cannot-tell
compare 3 leak.tape leak-lossy.tape --fail-on cannot-tell
holds '.answer == "not-fixed" and .changes.still == 1'
compare 3 leak.tape leak.tape --fail-on cannot-tell
compare 3 healthy.tape leak.tape --fail-on cannot-tell
compare 3 healthy.tape leak.tape --fail-on worse
compare 0 leak.tape lossy.tape --fail-on worse
compare 0 leak.tape leak-again.tape --fail-on cannot-tell
compare 0 leak.tape healthy.tape --fail-on cannot-tell
make short seconds=20 foo_build=3c
compare 0 leak.tape short.tape
says 'but B is too short: 20.0 s'
compare 0 leak.tape healthy.tape --grace 15s
says 'FIXED'
compare 0 leak.tape healthy.tape --grace 20s
says 'CANNOT TELL'
make absent has_foo=0
compare 0 leak.tape absent.tape
says 'CANNOT TELL: foo_alloc [foo] leaks in A (+2.20 MiB/h), but module foo allocated nothing in B'
compare 3 absent.tape leak.tape
says 'WORSE: foo_alloc [foo] leaks in B (+2.20 MiB/h), and not in A'
tells 'nothing was allocated there in A'
make rare foo_build=3c rate=1
compare 0 leak.tape rare.tape
says 'CANNOT TELL'
tells 'why: B has seen too little'
make unloaded leak=10 unload=1
compare 0 unloaded.tape healthy.tape
says 'FIXED: foo_alloc [foo]'
compare 3 healthy.tape unloaded.tape
holds '.changes.new == 1'

# By module and by cache: theirs are the names.
compare 0 leak.tape healthy.tape --by module
says 'FIXED: foo leaks in A'
holds '.items[0].module == "foo" and .items[0].matched_by == "group"'
compare 0 leak.tape healthy.tape --by cache
says 'FIXED: kmalloc-64 leaks in A'

# Names are what a redacted tape still has.
"$KMEMTAPE" pack --redact -o redacted.tar leak.tape 2>/dev/null || fail "redact: exit $?"
compare 0 redacted.tar healthy.tape
says 'FIXED: foo_alloc [foo]'
compare 0 leak-again.tape redacted.tar
holds '.changes.same == 1'

# A helper is never blamed for whom it allocates for.
make_helper helper-leaks 1
make_helper helper 0
compare 0 helper-leaks.tape helper.tape
says 'FIXED: foo_rx [foo] (by __alloc_skb) leaks in A (+35.2 MiB/h), and not in B'
tells 'gone        __alloc_skb, for foo_rx [foo]  kmalloc-1k'
holds '.items[0] | .function == "__alloc_skb" and .owner == "foo_rx" and .owner_module == "foo"'

# Who leaks through it is another one: neither is the other's leak. Of many, a tape names but one; of one alone, all is known.
make_helper bar-leaks 2
compare 0 helper-leaks.tape bar-leaks.tape
says 'CANNOT TELL: foo_rx [foo] (by __alloc_skb) leaks in A (+35.2 MiB/h), but B allocates there for many, and doesn'"'"'t tell what for this'
says '(others: 1 not to be told)'
holds '.changes["cannot-tell"] == 2 and ([.items[] | .owner, has("a"), has("b")] == ["foo_rx", true, false, "bar_tx", false, true])'
make_helper foo-alone 1 only=foo
make_helper bar-alone 2 only=bar
compare 3 foo-alone.tape bar-alone.tape
says 'WORSE: bar_tx (by __alloc_skb) leaks in B (+70.3 MiB/h), and not in A'
holds '.changes.new == 1 and .changes["cannot-tell"] == 1 and .items[1].why == "B allocates there for others only"'
make_helper bar-healthy 0 only=bar
compare 0 foo-alone.tape bar-healthy.tape
says 'CANNOT TELL: foo_rx [foo] (by __alloc_skb) leaks in A (+70.3 MiB/h), but B allocates there for others only'
compare 3 bar-healthy.tape foo-alone.tape
says 'WORSE: foo_rx [foo] (by __alloc_skb) leaks in B (+70.3 MiB/h), and not in A'
# The same one of another build, elsewhere, is the same; but one with another name may be.
make_helper foo-rebuilt 1 module=ffffffffc0a00000 foo_build=3c shift=64
compare 0 helper-leaks.tape foo-rebuilt.tape
says 'NOT FIXED: foo_rx [foo] (by __alloc_skb) leaks in B as it does in A'
holds '.changes.same == 1 and (.items | length) == 1 and .same_kernel_build'
"$KMEMTAPE" replay --format json foo-rebuilt.tape | jq '(.sites[].owner | select(. == "foo_rx")) += ".isra.0"' >foo-inlined.json
compare 0 helper-leaks.tape foo-inlined.json
says 'NOT FIXED: '
holds '.changes.same == 1 and (.items | length) == 1'
make_helper foo-renamed 1 only=foo foo_build=3c
sed -i 's/foo_rx/foo_rx_all/' foo-renamed.script
"$MKTAPE" foo-renamed.script -o renamed-helper.tape && echo "kernel 1a" >renamed-helper.tape/symbols/build-ids || exit 1
compare 0 foo-alone.tape renamed-helper.tape
says 'CANNOT TELL'
holds '.changes.new == 0 and .changes["cannot-tell"] == 2 and any(.items[]; .why | test("under another name"))'
# Where another call of the helper may be for either, they are one item, and still not the same leak.
for name in helper-leaks bar-leaks; do
	"$KMEMTAPE" replay --format json $name.tape |
		jq 'del(.tape.build_ids) | .sites += [.sites[] | select(.function == "__alloc_skb") | .class = "none" | del(.owner, .owner_module)]' >$name.json
done
compare 0 helper-leaks.json bar-leaks.json
says 'CANNOT TELL: foo_rx [foo] (by __alloc_skb) leaks in A'
says 'but B allocates there for bar_tx'
compare 0 bar-leaks.json helper-leaks.json
says 'CANNOT TELL: bar_tx (by __alloc_skb) leaks in A'
says 'but B allocates there for foo_rx'
# Code without a name is called by its address, which is another one after each boot.
for name in foo-alone foo-rebuilt; do
	"$KMEMTAPE" replay --format json $name.tape |
		jq --arg at 0x$name '(.sites[] | select(.owner | values)) |= (.owner = $at)' >$name-nameless.json
done
compare 0 foo-alone-nameless.json foo-rebuilt-nameless.json
holds '(.items | length) == 1 and .changes["cannot-tell"] == 0 and .changes.new == 0'

# As many as are wanted.
compare 0 leak.tape healthy.tape --top 0
[ "$(grep -cE '^(gone|quiet) ' out)" -eq 3 ] || fail "$what: not all of them"
compare 0 leak.tape healthy.tape --top 1
holds '.items | length == 1'
exit $failed
