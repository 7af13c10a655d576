#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A tape of this kernel under load, by replay and by a path that has nothing in common with it: same numbers for
# each call site. The report does not depend on threads, and the books balance. What belongs to no field was zeroed.
. "$(dirname "$0")/lib.sh"

command -v hackbench >/dev/null || skip "needs hackbench (rt-tests)"
"$KMEMTAPE" record -q --settle 500ms -o "$WORK/load.tape" -- hackbench -g 1 -l 200 >/dev/null || fail "exit status $?"
KMEMTAPE=$KMEMTAPE KBUFDUMP=$KBUFDUMP sh "$(dirname "$0")/../independent/compare.sh" "$WORK/load.tape"
status=$?
[ $status -eq 77 ] && skip "events were lost: this build is too slow for the load"
[ $status -eq 0 ] || fail "they differ"
subbuf=$(jq .buffer.subbuf_bytes "$WORK/load.tape/manifest.json")
case $(uname -m) in x86_64 | aarch64 | riscv64 | ppc64le | loongarch64) for file in "$WORK"/load.tape/cpu/*.zst; do
	zstd -dc "$file" | "$KBUFDUMP" "$WORK/load.tape/events" 0 little 8 "$subbuf" padding >"$WORK/padding" || fail "kbufdump"
	read -r bytes not_zero <"$WORK/padding"
	[ "$bytes" -gt 1000 ] && [ "$not_zero" = 0 ] || fail "$file: of $bytes bytes that belong to no field, $not_zero aren't zero"
done ;; esac
"$KMEMTAPE" replay --format json --threads 0 "$WORK/load.tape" >"$WORK/one"
for n in 1 3; do
	"$KMEMTAPE" replay --format json --threads $n "$WORK/load.tape" | cmp - "$WORK/one" || fail "$n threads: another report"
done
jq -e '.events as $e | .matching as $m |
	$e.allocs - $e.failed_allocs - $e.zero_size - $m.replaced == $m.paired + $m.reused + $m.live and
	$e.frees - $e.null_frees == $m.paired + $m.unknown_frees and
	([.sites[].live_objects] | add) == $m.live and ([.sites[].allocs] | add) == $m.paired + $m.reused + $m.live and
	([.sites[].frees] | add) == $m.paired' "$WORK/one" >/dev/null || fail "the books don't balance: $(jq -c '{events, matching}' "$WORK/one")"
exit 0
