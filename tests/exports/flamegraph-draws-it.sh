#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# `replay --format folded` is drawn by flamegraph.pl, with the sums of the JSON report, whatever names end with; difffolded.pl's
# form, two counts on a line, is never taken for granted.
. "$(dirname "$0")/lib.sh"
need perl
flamegraph=$(command -v flamegraph.pl || echo /usr/share/perl5/Devel/NYTProf/flamegraph.pl)
[ -f "$flamegraph" ] || {
	echo "no flamegraph.pl here: libdevel-nytprof-perl has it"
	exit 77
}

# Usage: draw TAPE ARG...: the names and sums of all boxes, to the file drawn
draw() {
	"$KMEMTAPE" replay --format folded "$@" >folded || fail "$*: exit $?"
	perl "$flamegraph" --countname bytes <folded >graph.svg 2>said || fail "$*: $(cat said)"
	[ ! -s said ] || fail "$*: $(cat said)"
	$python -c 'import sys, xml.dom.minidom
for title in xml.dom.minidom.parse(sys.argv[1]).getElementsByTagName("title"):
	name, _, size = title.firstChild.data.rpartition(" (") if title.firstChild else ("", "", "")
	if " bytes, " in size: print(name, size.split(" bytes")[0].replace(",", ""), "difference" if ";" in size else "")' graph.svg >drawn ||
		fail "$*: no XML"
	grep -q ' difference$' drawn && fail "$*: as the difference of two: $(cat drawn folded)"
	grep -qx "all $("$KMEMTAPE" replay --format json "$@" | jq .matching.live_bytes) " drawn || fail "$*: not all: $(cat -v drawn folded)"
}

# Usage: shows NAME BYTES
shows() {
	grep -qxF "$1 $2 " drawn || fail "no '$1' of $2: $(cat -v drawn)"
}

draw good
shows 'in_mod [mod]' 15168
shows caller $((15168 + 79 * 128))
shows '[vmlinux]' 81920
draw evil
draw --by pid good
shows task-42 107200

# The last number is the count, and nothing else.
sed "s/^comm 42 task/comm 42 task 7/" good.script >numbered.script
"$MKTAPE" numbered.script -o numbered || fail "no tape"
draw --by comm numbered
shows 'task\x207' 107200
draw --by pid numbered
exit $failed
