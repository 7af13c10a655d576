#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The banner of a page says whether there is a leak in words and colour; a tape that can't tell is neither good nor bad, and is told how to
# get a better one. Of a sample the numbers are estimates, and the page says so.
. "$(dirname "$0")/lib.sh"
golden=$here/../golden

# Usage: banner NAME: its tone, label and sentence
banner() {
	sed -n 's/.*<section class="verdict \([a-z]*\)" id="verdict">.*/\1/p; s/.*<p class="label">\(.*\)<\/p>.*/\1/p; s/.*<h1>\(.*\)<\/h1>.*/\1/p' "$1.html" |
		sed 's/<[^>]*>//g' | tr '\n' '|'
}
# Usage: expect_banner NAME PATTERN
expect_banner() {
	local is
	is=$(banner "$1")
	[[ $is == $2 ]] || fail "$1: '$is' is not like '$2'"
}

make_tape leak
page leak
expect_banner leak 'likely|Leak likely|leaky_rx_alloc* leaks +28.1 MiB/h since 2 m 51 s after the start (22:16:11 UTC); confidence 0.99 of 1.|'
grep -q '<li><code>kmemtape replay --explain leaky_rx_alloc+0x10 leak</code></li>' leak.html || fail "leak: no advice"
grep -q 'called by</p><ol class="callers"><li><code>leaky_poll' leak.html || fail "leak: no callers"

"$MKTAPE" "$golden/an-empty-tape.script" -o empty && page empty
expect_banner empty 'untold|Cannot tell|This tape cannot tell whether something leaks.|'
grep -q '<li>record for longer: <code>kmemtape record' empty.html || fail "empty: no advice"
grep -q 'How sure' empty.html && fail "empty: it is sure of nothing"
! grep -q '&middot;  *&middot;' empty.html || fail "empty: a host of no name"

# What only frees could change is no plateau, and not the time that it grew for.
grep -q 'only frees were recorded' leak.html && fail "leak: allocations were recorded to the end"
sed 's/^allocs_off .*/allocs_off 400000000000/' leak.script >settled.script
"$MKTAPE" settled.script -o settled && page settled
grep -q 'only frees were recorded' settled.html || fail "settled: it isn't said"
grep -q 'linear for 3 m 4[0-9] s' settled.html || fail "settled: $(grep headline settled.html)"

# Whom it allocates for is blamed, and not a helper.
awk -v start=1000000000 -v leak=1 -f "$here/../diff/helper.awk" >helper.script && "$MKTAPE" helper.script -o helper && page helper
expect_banner helper 'likely|Leak likely|foo_rx [[]foo] (out of tree) (by __alloc_skb+0x50/0x20000) leaks +35.2 MiB/h since*'

make_tape healthy --healthy
page healthy
expect_banner healthy 'none|No leak|Nothing seems to leak; confidence *'

# As the text has it: LIVE and OBJECTS of all, by the sample.
"$MKTAPE" "$golden/large-objects-are-always-in-the-sample.script" -o sampled && page sampled
for cell in '<td class="n" data-v="32768">32.0 KiB</td><td class="n" data-v="4">4</td>' '<td class="n" data-v="512">512 B</td>'; do
	grep -qF "$cell" sampled.html || fail "sampled: no $cell"
done
grep -q 'A sample, 1 in 8 addresses: what is live or grows is an estimate' sampled.html || fail "sampled: it isn't said"
grep -q '~96.5 KiB (72.1 KiB..243 KiB)' sampled.html || fail "sampled: no interval"
exit $failed
