#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# "(none)" is what the kernel calls a host that was given no name, as many virtual machines: nobody is told that as a name.
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0
tape=$KMT_TESTS/frozen/i386.tape
jq -e '.kernel.host == "(none)"' "$tape/manifest.json" >/dev/null || exit 1

fail() {
	echo "$*"
	failed=1
}

is_silent() { # NAME: of what is in out
	[ -s "$dir/out" ] || fail "$1: nothing"
	! grep -qaF '(none)' "$dir/out" || fail "$1: $(grep -aoE '.{0,30}[(]none[)]' "$dir/out" | head -n 3)"
}

for format in text json html pprof folded speedscope firefox perfetto csv ndjson openmetrics; do
	"$KMEMTAPE" replay -q --threads 0 --format $format -o "$dir/report" "$tape" || fail "$format: exit $?"
	zcat -f "$dir/report" >"$dir/out"
	is_silent $format
done
"$KMEMTAPE" info "$tape" >"$dir/out" || fail "info: exit $?"
is_silent info
grep -qE '^host +unknown$' "$dir/out" || fail "info: $(grep ^host "$dir/out")"

# Of a report that was made when they were told, too; and two of these are not one.
"$KMEMTAPE" replay -q --threads 0 --format json "$tape" | jq '.tape.host = "(none)"' >"$dir/one.json"
jq '.events.total += 1' "$dir/one.json" >"$dir/two.json"
for command in "diff" "merge"; do
	for format in text json html; do
		"$KMEMTAPE" $command --format $format "$dir/one.json" "$dir/two.json" >"$dir/out" || fail "$command: exit $?"
		is_silent "$command: $format"
		[ $format != html ] || [ "$(grep -o '<code>unknown</code>' "$dir/out" | wc -l)" -ge 2 ] || fail "$command: the page has no unknown host"
		[ $command$format != mergejson ] || jq -e '.hosts == 2' "$dir/out" >/dev/null || fail "two hosts without a name are $(jq .hosts "$dir/out")"
	done
done
exit $failed
