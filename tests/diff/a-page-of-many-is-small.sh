#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# However many sites and tapes there are, and however long their names, the page of a merge or a diff is below 2 MB, and
# says what it left out; what a tape lost is never left out.
. "$KMT_TESTS/diff/lib.sh"

# Usage: reports HOSTS SITES NAME NOTES: of so many sites that leak, on a tape of each host that lost events, in $reports
reports() {
	jq -cn --argjson nr "$2" --arg name "$3" --argjson notes "$4" '
		{ schema: 1, rows: $nr, verdict: { leak: "likely", confidence: 0.9, headline: $name },
		  tape: { path: "host.tape", host: "host.", kernel: $name, duration_ns: 3600000000000, complete: true, sample: 1 },
		  events: { total: 30000, allocs: 30000, lost: 5 }, matching: { grace_ns: 10000000000 },
		  spaces: [{ space: "slab" }], notes: [range($notes) | "\(.) \($name)"],
		  sites: [range($nr) | { function: "\($name)\(.)", module: "foo", cache: "kmalloc-64", space: "slab", allocs: 10,
			live_objects: 10, live_bytes: 640, mature_objects: 10, mature_bytes: 640, class: "leak", confidence: 0.9 }] }' |
		awk -v nr="$1" '{ for (i = 1; i <= nr; i++) { text = $0; gsub("\"host[.]", "&" i, text); print text >i ".json"; close(i ".json") } }'
	mapfile -t reports < <(printf '%s.json\n' $(seq "$1"))
}

# Usage: page FILE COMMAND...: below 2 MB, and whole
page() {
	what="$1 by $2"
	page=$1
	shift
	"$KMEMTAPE" "$@" --format html -o "$page" || fail "$what: exit $?"
	bytes=$(stat -c %s "$page")
	[ "$bytes" -lt 2000000 ] || fail "$what: $bytes bytes"
	[ "$bytes" -gt 900000 ] || fail "$what: only $bytes bytes"
	[ "$(tail -n 1 "$page")" = '</html>' ] || fail "$what: it has no end"
}

# Usage: table TITLE WANTED: as many rows as it says, of as many as there are
table() {
	section=$(sed -n "/<h2>$1<\/h2>/,/<\/section>/p" "$page")
	rows=$(grep -c '^<tr>' <<<"$(sed 's/<tbody>/&\n/' <<<"$section")")
	said=$(grep -oE 'The first [0-9]+ of [0-9]+' <<<"$section")
	[ "$rows" -gt 20 ] && [ "$said" = "The first $rows of $2" ] || fail "$what: $1: $rows rows of $2, and '$said'"
}

reports 5 3000 site_ 1
page many.html merge "${reports[@]}"
table Sites 3000
table 'Sites by host' 15000
page two.html diff "${reports[@]:0:2}"
table Changes 3000

# Every character of these takes four; there are notes enough to hide all else.
reports 1000 3 "$(printf '<%.0s' {1..250})" 20
page long.html merge "${reports[@]}"
table Tapes 1000
table 'Sites by host' 3000
[ "$(grep -c 'LOST 5 EVENTS' long.html)" -eq 1000 ] || fail "long names: a loss is left out"
exit $failed
