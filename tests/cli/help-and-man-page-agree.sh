#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Every option of --help is in the man page and the other way round; help fits 80 columns, goes to stdout, exits 0. Every key
# of the JSON is in the man page.
set -u
failed=0
fail() {
	echo "$*"
	failed=1
}

for page in "$KMT_TESTS"/../tools/man/kmemtape-*.1.scd; do
	command=$(basename "$page" .1.scd)
	command=${command#kmemtape-}
	help=$("$KMEMTAPE" "$command" --help 2>/dev/null) || fail "$command --help: exit $?"
	[ "$(awk 'length > 80' <<<"$help")" = "" ] || fail "$command --help: wider than 80 columns"
	of_help=$(grep -oE '^ +(-., )?--[a-z-]+' <<<"$help" | grep -oE -- '--[a-z-]+' | sort)
	of_page=$(grep -oE '^(\*-.\*, )?\*--[a-z-]+\*' "$page" | grep -oE -- '--[a-z-]+' | sort)
	[ -n "$of_help" ] || fail "$command --help: no options"
	diff <(echo "$of_help") <(echo "$of_page") || fail "$command: --help (<) and man page (>) differ"
	# Words that are told one a line: each is in the page, too.
	for word in $(sed -n 's/^ \{28\}\([a-z]*\) .*/\1/p' <<<"$help"); do
		grep -q "_${word}_" "$page" || fail "$command --help: $word is not in the man page"
	done
	"$KMEMTAPE" --help | grep -qE "^  $command " || fail "$command is not in kmemtape --help"
done
[ "$("$KMEMTAPE" --help | awk 'length > 80')" = "" ] || fail "--help: wider than 80 columns"
tape=$KMT_TESTS/frozen/s390x.tape
site=$("$KMEMTAPE" replay --threads 0 --format json "$tape" | jq -r '[.sites[].function | values][0]')
keys=$(
	for by in site cache module comm pid owner; do
		"$KMEMTAPE" replay --threads 0 --grace 0 --by $by --format json "$tape"
	done | jq -r 'paths | map(strings) | last | values'
	"$KMEMTAPE" replay --threads 0 --grace 0 --explain "$site" --interval 1s --only "site=$site" --format json "$tape" |
		jq -r 'paths | map(strings) | last | values'
)
[ "$(sort -u <<<"$keys" | wc -l)" -gt 90 ] || fail "replay --format json: few keys"
page=$(sed -n '/^# JSON/,/^# EXIT/p' "$KMT_TESTS/../tools/man/kmemtape-replay.1.scd" | grep -oE '[a-z0-9_]+' | sed 's/^_//; s/_$//' | sort -u)
unknown=$(comm -13 <(echo "$page") <(sort -u <<<"$keys"))
[ -z "$unknown" ] || fail "replay --format json: keys that are not in the man page:" $unknown
keys=$("$KMEMTAPE" diff --format json "$tape" "$tape" | jq -r 'paths | map(strings) | last | values')
[ "$(sort -u <<<"$keys" | wc -l)" -gt 40 ] || fail "diff --format json: few keys"
page=$(sed -n '/^# JSON/,/^# EXIT/p' "$KMT_TESTS/../tools/man/kmemtape-diff.1.scd" | grep -oE '[a-z0-9_-]+' | sed 's/^_//; s/_$//' | sort -u)
unknown=$(comm -13 <(echo "$page") <(sort -u <<<"$keys"))
[ -z "$unknown" ] || fail "diff --format json: keys that are not in the man page:" $unknown
keys=$("$KMEMTAPE" merge --format json "$tape" | jq -r 'paths | map(strings) | last | values')
page=$(sed -n '/^# JSON/,/^# EXIT/p' "$KMT_TESTS/../tools/man/kmemtape-merge.1.scd" | grep -oE '[a-z0-9_-]+' | sed 's/^_//; s/_$//' | sort -u)
[ "$(sort -u <<<"$keys" | wc -l)" -gt 40 ] || fail "merge --format json: few keys"
unknown=$(comm -13 <(echo "$page") <(sort -u <<<"$keys"))
[ -z "$unknown" ] || fail "merge --format json: keys that are not in the man page:" $unknown
"$KMEMTAPE" --version | grep -qE '^kmemtape [0-9]+\.[0-9]+' || fail "--version"
exit $failed
