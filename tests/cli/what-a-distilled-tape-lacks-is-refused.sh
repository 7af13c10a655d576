#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What needs the events is refused of a distilled tape, in one line that says why; info says what it is, and a reader that
# doesn't know of such tapes is told by name.
set -u
work=$(mktemp -d "${TMPDIR:-/tmp}/distilled.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
failed=0
distilled=$work/d.tar

fail() {
	echo "$*"
	failed=1
}

# refused WORDS COMMAND...
refused() {
	local words=$1
	shift
	"$KMEMTAPE" "$@" >"$work/out" 2>"$work/why" && fail "$*: was not refused"
	[ ! -s "$work/out" ] || fail "$*: printed something"
	[ "$(wc -l <"$work/why")" = 1 ] && grep -qF "$words" "$work/why" || fail "$*: $(cat "$work/why")"
}

"$MKTAPE" "$KMT_TESTS/golden/a-dossier-names-who-frees.script" -o "$work/tape" || exit 1
"$KMEMTAPE" pack --distill -o "$distilled" "$work/tape" 2>"$work/why" || fail "$(cat "$work/why")"
for options in "--by comm" "--by pid" "--interval 1s" "--older 1s"; do
	# shellcheck disable=SC2086 # options are words
	refused "is distilled: ${options%% [0-9]*} needs the whole tape" replay $options "$distilled"
done
refused "another --grace than 10.0 s needs the whole tape" replay --grace 1s "$distilled"
refused "'old_alloc' needs the whole tape" replay --explain old_alloc "$distilled"
refused "no allocation at 'old_allok'" replay --explain old_allok "$distilled"
refused "is distilled: export needs the whole tape" export -o "$work/dat" "$distilled"
refused "is distilled, and has no events" recover -o "$work/again" "$distilled"
refused "is distilled, and has no events" pack --range 1s..2s -o "$work/again" "$distilled"
refused "is distilled already" pack --distill -o "$work/again" "$distilled"
[ ! -e "$work/again" ] || fail "something is left of what failed"
"$KMEMTAPE" info "$distilled" | grep -q '^distilled ' || fail "info doesn't say what it is"
"$KMEMTAPE" replay "$distilled" | grep -q '^distilled: ' || fail "the report doesn't say what it is"
tar -C "$work" -xf "$distilled"
jq -e '.incompat == ["distilled"]' "$work/d.tape/manifest.json" >/dev/null || fail "older readers aren't told"
[ ! -e "$work/d.tape/cpu" ] && [ ! -e "$work/d.tape/comms" ] || fail "it has what it was to be without"

# What is damaged is refused, by verify as well.
zstd -qdc "$work/d.tape/books.zst" >"$work/books"
grep -q '^live 2$' "$work/books" || fail "books.zst is another text"
rm "$work/d.tape/books.zst"
refused "/books.zst: missing" replay "$work/d.tape"
"$KMEMTAPE" verify "$work/d.tape" | grep -q '/books.zst: missing' || fail "verify: not seen"
exit $failed
