# SPDX-License-Identifier: GPL-2.0-only
# What tests of distilled tapes share: to be sourced. $name is the tape's, for messages; $failed and $nr the outcome.
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
