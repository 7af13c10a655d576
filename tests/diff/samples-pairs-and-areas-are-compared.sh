#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# `diff` of samples goes by what there was in truth; pairs of functions, and areas that only the kernel's own counters
# have, are found again as call sites are, and absent only where that is known.
. "$KMT_TESTS/diff/lib.sh"

# A sample leaks as what it is of; one in sixteen as one in eight.
make whole leak=10 rate=400
make eighth leak=10 rate=400 sample=8
make sixteenth leak=10 rate=400 sample=16
make healthy foo_build=3c rate=400 sample=8
for pair in "whole eighth" "eighth sixteenth"; do
	read -r a b <<<"$pair"
	compare 0 $a.tape $b.tape
	says 'NOT FIXED: foo_alloc [foo] leaks in B as it does in A: +8.7'
	holds '.items[0] | .b.growth_bytes_per_s / .a.growth_bytes_per_s | . > 0.98 and . < 1.02'
	holds '.changes.same == 1 and .changes.quiet == 2'
	# What is left and how often it was called are estimates of all; what was recorded is what it is.
	holds 'all(.items[0] | .a, .b; .left_objects > 1900 and .left_objects < 2100 and .allocs_per_s > 395 and .allocs_per_s < 405)'
	holds 'all(.items[0] | .a, .b; .left_bytes == .left_objects * 64)'
	holds '.a.sample * .items[0].a.allocs | . > 23500 and . < 24500'
done
tells 'B: SAMPLE: 1 in 16 addresses; what is left is an estimate'
compare 0 whole.tape healthy.tape
says 'FIXED: foo_alloc [foo] leaks in A (+8.79 MiB/h), and not in B'
compare 3 healthy.tape eighth.tape
says 'WORSE: foo_alloc [foo] leaks in B (+8.76 MiB/h), and not in A'
make faster leak=3 rate=400 sample=8
compare 3 whole.tape faster.tape
says 'WORSE: foo_alloc [foo] leaks faster in B'
# A whole tape would have had some 50 of these, an eighth of it too few.
make thin leak=100
make thin-healthy foo_build=3c
make thin-eighth foo_build=3c sample=8
compare 0 thin.tape thin-healthy.tape
says 'FIXED'
compare 0 thin.tape thin-eighth.tape
says 'CANNOT TELL'
tells 'why: B has seen too little'

# Pairs have no bytes.
make put pair=1 foo_build=3c
make not-put pair=1 pair_leak=10
make not-put-either pair=1 pair_leak=10
make no-pair foo_build=3c
compare 0 not-put.tape put.tape
says 'FIXED: bar_alloc leaks in A (+35996/h), and not in B'
tells 'left per million allocations 20833 -> 0'
holds '.items[0] | .space == "pair" and .pair == "dentry" and .a.left_objects == 500 and .b.left_objects == 0'
holds '.items[0].a | .growth_objects_per_s > 9.9 and .left_objects_per_million_allocs > 20000 and (has("left_bytes") | not) and (has("live_bytes") | not)'
holds 'any(.items[]; .function == "bar_alloc" and .space == "slab" and .change == "quiet")'
compare 3 put.tape not-put.tape
says 'WORSE: bar_alloc leaks in B'
compare 0 not-put.tape not-put-either.tape
says 'NOT FIXED: bar_alloc leaks in B as it does in A: +35996/h, in A +35996/h'
compare 0 not-put.tape no-pair.tape
says "CANNOT TELL: bar_alloc leaks in A (+35996/h), but B didn't record what it is of"
compare 0 no-pair.tape not-put.tape
says "CANNOT TELL: bar_alloc leaks in B (+35996/h), but A didn't record what it is of"

# Of areas by vmallocinfo nobody knows how often they were made, so that none of them is no proof.
make areas areas=100
make as-many-areas areas=100
make more-areas areas=400
make no-areas areas=0
make not-counted
compare 0 areas.tape as-many-areas.tape
says 'NOT FIXED: map_alloc leaks in B as it does in A: +5.88 GiB/h, in A +5.88 GiB/h'
tells 'same        map_alloc  areas by vmallocinfo'
tells 'left 100 MiB -> 100 MiB allocations/h - -> -'
holds '.items[0] | .counted and .space == "vmalloc" and .matched_by == "offset" and .a.left_objects == 100'
holds 'all(.items[0] | .a, .b; (has("allocs") or has("frees") or has("allocs_per_s")) | not)'
compare 3 areas.tape more-areas.tape
says 'WORSE: map_alloc leaks faster in B'
compare 0 areas.tape no-areas.tape
says 'CANNOT TELL: map_alloc leaks in A (+5.88 GiB/h), but vmallocinfo of B shows no growth, and not whether it was called'
compare 0 no-areas.tape areas.tape
says 'CANNOT TELL: map_alloc leaks in B (+5.88 GiB/h), but vmallocinfo of A shows no growth, and not whether it was called'
compare 0 areas.tape not-counted.tape
says "but B didn't record what it is of"
"$KMEMTAPE" replay --format json areas.tape >areas.json || fail "replay: exit $?"
cmp <("$KMEMTAPE" diff areas.json no-areas.tape) <("$KMEMTAPE" diff areas.tape no-areas.tape) || fail "areas: not as its report"

# So it is in a merge.
"$KMEMTAPE" merge not-put.tape not-put-either.tape areas.tape >merged || fail "merge: exit $?"
grep -qE 'leak 0\.[0-9]+ +\+35996/h +live [0-9]+ objects$' merged && ! grep -qF 'live 0 B' merged || fail "merge: $(cat merged)"
"$KMEMTAPE" merge --format json not-put.tape areas.tape >json || fail "merge: exit $?"
holds 'any(.sites[]; .pair == "dentry" and all(.by_tape[]; has("allocs")))'
holds 'any(.sites[]; .function == "map_alloc" and .counted and all(.by_tape[]; has("allocs") | not))'
exit $failed
