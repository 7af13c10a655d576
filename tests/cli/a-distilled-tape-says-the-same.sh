#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# A distilled tape gives the same report, byte for byte but for its path and the line that says what it is: of every
# golden script and frozen tape, however rows are summed up, sorted and shown.
set -u
work=$(mktemp -d "${TMPDIR:-/tmp}/distilled.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
failed=0
nr=0
whole=$work/tape.w distilled=$work/tape.d # as long: else lines are wrapped elsewhere

fail() {
	echo "$*"
	failed=1
}

# same OPTION...: both tapes say the same, and exit alike
same() {
	local a b
	"$KMEMTAPE" replay "$@" "$whole" 2>&1 | sed "s|$whole|TAPE|g" >"$work/a"
	a=${PIPESTATUS[0]}
	"$KMEMTAPE" replay "$@" "$distilled" 2>&1 | sed "s|$distilled|TAPE|g; /^distilled: /d" >"$work/b"
	b=${PIPESTATUS[0]}
	[ "$a" = "$b" ] && cmp -s "$work/a" "$work/b" && return
	fail "$name: replay $*: not the same (exit $a and $b):"
	diff "$work/a" "$work/b" | head -n 10
}

distill() { # TAPE
	rm -f "$whole" "$distilled"
	ln -s "$1" "$whole"
	"$KMEMTAPE" pack --distill -o "$distilled" "$whole" 2>"$work/why" || fail "$name: $(cat "$work/why")"
	nr=$((nr + 1))
	"$KMEMTAPE" verify "$distilled" | grep -q '/books.zst: good' || fail "$name: verify: not good"
}

explain() { # sites that are suspected
	local site
	for site in $("$KMEMTAPE" replay --format json "$whole" | jq -r '
		.sites[] | select(.class == "leak" or .class == "growth") | .symbol // .call_site'); do
		same --explain "$site"
		same --explain "$site" --format json
	done
}

groups=(cache module owner stack)
for script in "$KMT_TESTS"/golden/*.script; do
	name=$(basename "$script" .script)
	rm -rf "$work/tape"
	"$MKTAPE" "$script" -o "$work/tape" || fail "$name: no tape"
	distill "$work/tape"
	same --format json
	same --format json --by "${groups[nr % 4]}"
done
for tape in "$KMT_TESTS"/frozen/*.tape; do
	name=$(basename "$tape")
	distill "$tape"
	for by in site "${groups[@]}"; do
		same --format json --by $by
	done
	for sort in bytes objects allocs age; do
		same --sort $sort --top 0
	done
	same
	same --exit-code --fail-on possible --min-bytes 1K
	same --explain no_such_function
	explain
done
[ $nr -ge 75 ] || fail "$nr tapes are too few"
exit $failed
