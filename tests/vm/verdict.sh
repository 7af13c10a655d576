# shellcheck shell=bash disable=SC2034,SC2154 # variables of the callers
# SPDX-License-Identifier: GPL-2.0-only
# What the tests of the VM lab ask of a verdict; sourced by them. Of $dir/truth, lines whose objects are live are the
# leaks.

# The scenarios last a few seconds: what is younger than this is not judged, and after the last allocation a second
# of settling follows.
GRACE=500ms

# Usage: judge_json TAPE REPORT: sets $leak and $headline; leaves the JSON in REPORT.
judge_json() {
	"$KMEMTAPE" replay --grace $GRACE --format json "$1" >"$2" || return 1
	leak=$(jq -r '.verdict.leak // "missing"' "$2")
	headline=$(jq -r '.verdict.headline // "missing"' "$2")
}

# Usage: judge TAPE REPORT: the same, and sets $first, the first line of the text report.
judge() {
	judge_json "$@" || return 1
	first=$("$KMEMTAPE" replay --grace $GRACE "$1" | sed -n 1p)
}

# Usage: leaks KINDS: the announced leaks of these kinds (kind|kind) that are live: "SITE MODULE KIND OBJECTS CODE" on
# each line; CODE is where the function was, or -.
leaks() {
	sed -nE 's/^leak site=([^ ]*) module=([^ ]*) kind=('"$1"') .*objects=([0-9]*) .*/\1 \2 \3 \4 & code=-/p' "$dir/truth" |
		sed -E 's/^([^ ]* [^ ]* [^ ]* [^ ]*) .*[ ]code=(0x[0-9a-f]*) .*/\1 \2/; s/^([^ ]* [^ ]* [^ ]* [^ ]*) leak .*/\1 -/' |
		awk '$4 > 0'
}

RECORDED='slab|init|untraced|vmalloc|pages|pieces|percpu|helper|pair|area'

# Usage: accuses HEADLINE SITE MODULE KIND CODE: does it name this one?
accuses() {
	case "$4" in
	# A function that is thrown away has no name, but an address in its page. Whose it was is known, too, if the event
	# that says so is on the tape.
	init) [[ $1 == *" ${5%???}"[0-9a-f][0-9a-f][0-9a-f]* || $1 == *" $2+0x"*"[$3]"* ]] ;;
	# By whom it was allocated may be behind it.
	helper) [[ $1 == *" $2 [$3]"* || $1 == *" $2+0x"*"[$3]"* ]] ;;
	*) [[ $1 == *" $2+0x"*"[$3]"* ]] || is_nameless "$1" "$3" ;;
	esac
}

# Usage: is_nameless HEADLINE MODULE: an address of a module that was gone before its symbols were read as a whole? So
# short a life only some scenarios give it.
is_nameless() { [[ $scenario == *-at-once* && $1 =~ ' '0x[0-9a-f]+' '"[$2]" ]]; }

# Usage: accuses_truth HEADLINE: is it one of the announced leaks that it names?
accuses_truth() {
	local site module kind code _
	while read -r site module kind _ code; do
		! accuses "$1" "$site" "$module" "$kind" "$code" || return 0
	done < <(leaks "$RECORDED")
	return 1
}

# Usage: is_exact HEADLINE: does it name one with the number of its objects, as one load of its module leaked or all of
# them? Of pages in pieces, the number is a matter of bookkeeping; of
# what helpers allocate, it is of one of their call sites.
is_exact() {
	local site module kind objects code said all
	said=$(grep -oE '\+[0-9]+ (objects?|areas?)' <<<"$1" | grep -oE '[0-9]+' || true)
	while read -r site module kind objects code; do
		accuses "$1" "$site" "$module" "$kind" "$code" || continue
		case "$kind" in pieces | helper) return 0 ;; esac
		all=$(leaks "$RECORDED" | awk -v site="$site" -v of="$module" '$1 == site && $2 == of { n += $4 } END { print n }')
		[ "$said" != "$objects" ] && [ "$said" != "$all" ] || return 0
	done < <(leaks "$RECORDED")
	return 1
}

# Usage: wrongly_accused REPORT: call sites of class leak that are none. What a leaked area of vmalloc is made of leaks
# with it.
wrongly_accused() {
	local known made_of=
	known=$(leaks "$RECORDED" | awk -v scenario="$scenario" '
		{ print $1 "[" $2 "]" }
		$3 == "init" || scenario ~ /-at-once/ { print "[" $2 "]" }')
	[ -z "$(leaks vmalloc)" ] || made_of='^(alloc_vmap_area|__get_vm_area_node|__vmalloc_.*)$'
	jq -r --arg known "$known" --arg made_of "$made_of" '
		($known | split("\n")) as $known |
		[.sites[] | select(.class == "leak") | . as $it |
		select($made_of == "" or (.function // "" | test($made_of) | not)) |
		select(all($known[]; . != "\($it.function // "")[\($it["module"] // "")]" and
			. != "\($it.owner // "")[\($it.owner_module // "")]")) |
		"\(.symbol // .call_site): \(.live_objects)"] | join(", ")' "$1"
}
