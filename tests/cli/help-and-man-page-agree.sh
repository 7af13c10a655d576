#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Every option of --help is in the man page and the other way round; help fits 80 columns, goes to stdout, exits 0.
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
	"$KMEMTAPE" --help | grep -qE "^  $command " || fail "$command is not in kmemtape --help"
done
[ "$("$KMEMTAPE" --help | awk 'length > 80')" = "" ] || fail "--help: wider than 80 columns"
"$KMEMTAPE" --version | grep -qE '^kmemtape [0-9]+\.[0-9]+' || fail "--version"
exit $failed
