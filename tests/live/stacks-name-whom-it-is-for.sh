#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Of real stacks: who holds pipes and timerfds is found behind the kernel's own helpers, nothing of how the kernel gets to run
# is an owner, and whatever rows are by, they sum up to the same.
. "$(dirname "$0")/lib.sh"

N=150

rm -f "$WORK/ready"
mkfifo "$WORK/stdin"
exec 9<>"$WORK/stdin"
"$KMEMTAPE" record -q --settle 1s -e slab,page --stack -o "$WORK/tape" -- "$BASH" -c '
	"$1" --ready "$2" --pipes '$N' --timerfds '$N' <"$3" 9>&- &
	until [ -e "$2" ]; do sleep 0.1; done
	sleep 0.3' sh "$HELPERS/hold" "$WORK/ready" "$WORK/stdin" >"$WORK/said" || fail "exit status $?"
grep -q '"symbols": *"good"' "$WORK/tape/manifest.json" || skip "this kernel hides its symbols"
for by in site stack owner; do
	"$KMEMTAPE" replay --by $by --format json "$WORK/tape" >"$WORK/$by" || fail "--by $by"
	jq -c --arg by "${by}s" '.[$by] | [map(.allocs), map(.frees), map(.live_objects), map(.live_bytes)] | map(add)' \
		"$WORK/$by" >"$WORK/sum.$by"
	cmp "$WORK/sum.site" "$WORK/sum.$by" || fail "by site $(cat "$WORK/sum.site"), by $by $(cat "$WORK/sum.$by")"
	"$KMEMTAPE" replay --by $by --format json --threads 0 "$WORK/tape" | cmp - "$WORK/$by" ||
		fail "--by $by depends on the number of threads"
done
exec 9>&-

# live OWNER CACHE LEAST: so many objects of a cache, or of any, are for whom a maintainer would name
live()
{
	found=$(jq --arg f "$1" '[.owners[] | select(.space == "slab" and (.function // "" | test($f))) | .live_objects] | add // 0' \
		"$WORK/owner")
	[ "$found" -ge "$2" ] || fail "$1 owns $found live objects, expected $2 or more: $(jq -c \
		'.owners | sort_by(-.live_objects)[:9][] | [.function, .live_objects]' "$WORK/owner")"
}

live '^alloc_pipe_info$' $((2 * N)) # itself, and its array of buffers
live 'timerfd_create$' $N
live '^create_pipe_files$|do_pipe' $((2 * N)) # files and inode, by helpers all of them
wrong=$(jq -r '[.owners[] | select(.live_objects > 0) | .function // "" |
	select(test("^(kmalloc|__kmalloc|kmem_cache_alloc|alloc_empty_file|security_file_alloc|mas_|entry_|do_syscall_64|kthread$|asm_|trace_event_raw)"))] |
	join(" ")' "$WORK/owner")
[ -z "$wrong" ] || fail "these own nothing: $wrong"

"$KMEMTAPE" replay --explain alloc_pipe_info "$WORK/tape" >"$WORK/explained" || fail "--explain"
grep -q 'CALLED BY' "$WORK/explained" || fail "no tree: $(cat "$WORK/explained")"
grep -q 'create_pipe_files+0x' "$WORK/explained" || fail "not called by create_pipe_files: $(cat "$WORK/explained")"
page=$(jq -r '[.sites[] | select(.space == "page" and .function != null)][0] | .symbol' "$WORK/site")
"$KMEMTAPE" replay --explain "$page" --format json "$WORK/tape" |
	jq -e '.explain[0] | .space == "page" and (.call_stacks | length) > 0' >/dev/null || fail "--explain $page, of pages"

"$KMEMTAPE" record -q --settle 0 --no-stack -d 200ms -o "$WORK/without.tape" || fail "record without stacks"
"$KMEMTAPE" replay --by stack "$WORK/without.tape" 2>"$WORK/error" && fail "--by stack of a tape without any"
expect_line "$WORK/error" "record with --stack"
"$KMEMTAPE" replay --by owner --format json "$WORK/without.tape" |
	jq -e '.notes | any(contains("record with --stack"))' >/dev/null || fail "--by owner says nothing of it"
exit 0
