#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Who allocates and who frees is told of the suspects and of the first sites, as --explain tells it; of two modules of which one had the
# addresses of the other, each by itself. Losses are shaded where the tape has them, whatever its manifest knows.
. "$(dirname "$0")/lib.sh"
data() {
	sed -n '/<script type="application\/json" id="data">/,/<\/script>/p' "$1.html" | sed 's/.*id="data">//; s/<\/script>.*//'
}

# Usage: same_as_explain NAME ROW SITE
same_as_explain() {
	data "$1" | jq -S --argjson row "$2" '.dossiers[] | select(.row == $row) | {allocated_by, freed_by, sizes, gfp, lifetimes, oldest}' >"$1.page"
	"$KMEMTAPE" replay --format json --explain "$3" "$1" |
		jq -S '.explain[0] | {allocated_by, freed_by, sizes, gfp, lifetimes, oldest}' >"$1.explained"
	[ -s "$1.page" ] && cmp "$1.page" "$1.explained" || fail "$1: other than --explain $3"
}

make_tape leak
page leak
[ "$(data leak | jq -c '[.dossiers[].row]')" = '[0,1,2,3]' ] || fail "leak: dossiers of $(data leak | jq -c '[.dossiers[].row]')"
same_as_explain leak 0 leaky_rx_alloc
same_as_explain leak 2 __alloc_skb
[ "$(data leak | jq -c .head.losses)" = '[]' ] || fail "leak: has losses"

"$MKTAPE" "$here/../golden/a-module-may-take-the-addresses-of-another.script" -o two && page two
data two | jq -e '[.rows[] | [.module, .live_objects]] as $rows | [.dossiers[] | [$rows[.row], ([.sizes[].live_objects] | add)]] |
	length > 1 and all(.[0][1] == .[1])' >/dev/null || fail "two: $(data two | jq -c '[.dossiers[] | [.row, .sizes]]')"

# Only the marks in its sub-buffers tell.
$python "$here/tape.py" --lossy | grep -v '^stats ' >unstated.script
"$MKTAPE" unstated.script -o unstated && page unstated
data unstated | jq -e '.head.losses | length >= 1 and ([.[].lost] | add) == 5000' >/dev/null || fail "unstated: $(data unstated | jq -c .head.losses)"
"$KMEMTAPE" pack --distill -o small.tar leak 2>/dev/null || fail "distill: exit $?"
page small.tar
[ "$(data small.tar | jq -c '[.dossiers[].row]')" = '[0]' ] || fail "distilled: dossiers of $(data small.tar | jq -c '[.dossiers[].row]')"
exit $failed
