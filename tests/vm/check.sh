#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Compares what a tape of the VM lab says with what the leaking modules announced: tests/vm/check.sh SCENARIO DIR
# DIR holds tape/ and truth, as tools/vm/run leaves them; the program is $KMEMTAPE. Writes DIR/replay.json, and to
# DIR/result and stdout a line for each claim:
#	pass|gap|fail SCENARIO DETAIL
# gap: what the events on the tape can't show, with what they do show. Exit status: 1 if a line says fail.
set -euo pipefail

[ $# -eq 2 ] || {
	sed -n '3,7s/^# *//p' "$0" >&2
	exit 2
}
scenario=$1
dir=$2
: "${KMEMTAPE:?is the program to test}"
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/verdict.sh"
tape=$dir/tape
page=4096 # of x86
json=$dir/replay.json
by_code=
space=slab
: >"$dir/result"

say() { echo "$1 $scenario ${*:2}" | tee -a "$dir/result"; }
pass() { say pass "$*"; }
gap() { say gap "expected-gap: $*"; }
fail() { say fail "$*"; }
finish() {
	if grep -q '^fail ' "$dir/result"; then
		exit 1
	fi
	exit 0
}

# Usage: fields LINE: sets $site, $module, ... from "site=X module=Y ...".
fields() {
	local word
	site='' module='' kind='' allocs='' objects='' bytes='' cache='' cache_if_known='' code='' cpus='' by=''
	for word in $1; do
		case "${word%%=*}" in
		site | module | kind | allocs | objects | bytes | cache | code | cpus | by)
			printf -v "${word%%=*}" %s "${word#*=}"
			;;
		cache-if-known) cache_if_known=${word#*=} ;;
		esac
	done
}

# Usage: announced FIELD: of what was announced for $site of $module, in all its loads (with $code at that address
# only): the sum of a field.
announced() {
	awk -v site="site=$site" -v module="module=$module" -v field="$1=" -v code="${by_code:+code=$code}" '
		$2 == site && $3 == module && (code == "" || index($0 " ", code " ")) {
			for (i = 1; i <= NF; i++)
				if (index($i, field) == 1)
					sum += substr($i, length(field) + 1)
		}
		END { printf "%d", sum }' "$dir/truth"
}

# Usage: sums FILTER: "rows allocs frees reused live_objects live_bytes requested_bytes uncertain" of the sites that jq's
# FILTER chooses.
sums() {
	jq -r --arg site "$site" --arg owner "$module" --arg code "$code" --arg space "$space" '
		[.sites[] | select('"$1"')] |
		"\(length) \(map(.allocs) | add // 0) \(map(.frees) | add // 0) \(map(.reused) | add // 0) \(
		map(.live_objects) | add // 0) \(map(.live_bytes) | add // 0) \(map(.requested_bytes) | add // 0) \(
		map(.uncertain_objects // 0) | add // 0)"' "$json"
}

# shellcheck disable=SC2016 # variables of jq
named='.function == $site and .module == $owner and .space == $space'
# shellcheck disable=SC2016
# Hexadecimal is beyond jq: as texts of one length they compare.
at_code='($code | length) as $n | (.call_site | length) == $n and .call_site > $code and
	.call_site < ($code[:$n - 3] + "fff")'

# Usage: compare WHAT SUMS: with what was announced for $site.
compare() {
	local rows allocs frees reused live live_bytes live_requested uncertain want
	read -r rows allocs frees reused live live_bytes live_requested uncertain <<<"$2"
	want="$(announced allocs) $(($(announced allocs) - $(announced objects))) 0 $(announced objects) $(announced bytes) $(
		announced requested) 0"
	if [ "$allocs $frees $reused $live $live_bytes $live_requested $uncertain" = "$want" ]; then
		pass "$1: $live objects, $live_bytes bytes ($live_requested requested) of $allocs"
	elif [ "$rows" = 0 ]; then
		fail "$1: not in the report; announced: $(announced objects) of $(announced allocs) objects"
	else
		fail "$1: allocs frees reused live bytes requested uncertain are" \
			"$allocs $frees $reused $live $live_bytes $live_requested $uncertain, not $want"
	fi
}

# A module that was gone when the recorder came to read its symbols: the numbers are right, the name isn't known.
check_nameless() {
	local where
	where=$(jq -r --argjson allocs "$(announced allocs)" --argjson live "$(announced objects)" --argjson bytes "$(announced bytes)" '
		[.sites[] | select(.function == null and .allocs == $allocs and .live_objects == $live and .live_bytes == $bytes)] |
		map(.call_site + " of " + (.module // "no known module")) | join(", ")' "$json")
	[ -n "$where" ] || return 1
	gap "$site [$module]: gone before its symbols were read: $where has its numbers: $(announced objects) objects," \
		"$(announced bytes) bytes of $(announced allocs)"
}

check_slab() {
	local loads rows names
	if [[ $scenario == *-at-once* ]] && [ "$(sums "$named" | cut -d ' ' -f 1)" = 0 ] && check_nameless; then
		return
	fi
	compare "$site [$module]" "$(sums "$named")"
	# One call, one row; and one more for each further load of the module.
	loads=$(grep -c " site=$site module=$module " "$dir/truth")
	rows=$(sums "$named" | cut -d ' ' -f 1)
	[ "$rows" -le "$loads" ] || fail "$site [$module]: $rows rows of $loads call sites"
	names=$(jq -r --arg site "$site" --arg owner "$module" --arg space slab \
		'[.sites[] | select('"$named"') | .cache // "?"] | unique | join(",")' "$json")
	# Linux 5.12 was the first to name the cache in any event.
	if [ -n "$cache" ] && [ "$names" = '?' ] && ! grep -q ' name;' "$tape/events/kmem/kmem_cache_free/format"; then
		gap "$site [$module]: no event of this kernel has the name of the cache, $cache"
	elif [ -n "$cache" ] && [ "$names" != "$cache" ] && [ "$rows" -gt 0 ]; then
		fail "$site [$module]: cache is $names, not $cache"
	fi
	[ -z "$cache_if_known" ] || case "$names" in
	"$cache_if_known") pass "$site [$module]: cache is known: $names" ;;
	'?') gap "$site [$module]: no event has the name of the cache, $cache_if_known" ;;
	*) fail "$site [$module]: cache is $names, not $cache_if_known" ;;
	esac
}

# The function has no symbol. Where it was was announced; nothing else may have leaked there.
check_init() {
	local where
	if [ "$(sums "$named" | cut -d ' ' -f 1)" != 0 ]; then
		check_slab
		return
	fi
	by_code=yes
	compare "$site [$module], by address" "$(sums "$at_code")"
	by_code=
	where=$(jq -r --arg code "$code" '[.sites[] | select('"$at_code"') | .symbol // "nothing"] | unique | join(",")' "$json")
	where="$where $(jq -r --arg code "$code" '[.sites[] | select('"$at_code"') | .module // "no module"] | unique | join(",")' "$json")"
	case "$where" in
	*" $module") pass "$site: known to be of $module" ;;
	"nothing no module") gap "$site [$module]: the call site is known to be of nothing" ;;
	*) fail "$site [$module]: taken for $where" ;;
	esac
}

# Was kfree_rcu() watched by a probe?
has_free_probes() { [ "$(jq -r '.free_probes // ""' "$tape/manifest.json")" = on ]; }

# Freed by what leaves no event: without probes, live is an upper bound.
check_untraced() {
	local rows allocs frees reused live rest
	read -r rows allocs frees reused live rest <<<"$(sums "$named")"
	if [ "$rows" = 0 ] || [ "$allocs" != "$(announced allocs)" ]; then
		fail "$site [$module]: $rows rows, $allocs allocations, not $(announced allocs)"
	elif [ "$live" = "$(announced objects)" ]; then
		pass "$site [$module]: $live objects live"
	elif [ "$live" -gt "$(announced objects)" ] && ! has_free_probes; then
		gap "$site [$module]: $(announced objects) objects are live, $live look it: frees by $by leave no event" \
			"($frees seen freed, $reused reused)"
	else
		fail "$site [$module]: $live objects live, not $(announced objects)"
	fi
}

# Pages in parts: how many pieces there are of what is left is a matter of bookkeeping, how many bytes they have is not.
check_pieces() {
	local rows allocs frees reused live live_bytes rest
	read -r rows allocs frees reused live live_bytes rest <<<"$(sums "$named")"
	if [ "$allocs $reused $live_bytes" = "$(announced allocs) 0 $(announced bytes)" ]; then
		pass "$site [$module]: $live_bytes bytes are left of $allocs blocks"
	else
		fail "$site [$module]: $rows rows, $allocs allocations, $live_bytes bytes left of them, not $(announced allocs) and" \
			"$(announced bytes)"
	fi
}

# Usage: check_percpu: the events to the byte, and the kernel's sum of them.
check_percpu() {
	local live grown
	compare "$site [$module]" "$(sums "$named")"
	# meminfo counts pages that have memory behind them, and of those that nobody has anything of, the kernel keeps 2 to
	# 4 for each CPU (PCPU_EMPTY_POP_PAGES_LOW and _HIGH): that many more or less, and one that is not full.
	live=$(jq --argjson cpus "$cpus" '[.sites[] | select(.space == "percpu") | .requested_bytes * $cpus] | add // 0' "$json")
	grown=$((($(counter /proc/meminfo Percpu: end) - $(counter /proc/meminfo Percpu: start)) * 1024))
	check_sum "Percpu of meminfo" $grown "$live" $((5 * page * cpus))
}

# Usage: check_sum WHAT GROWN LIVE SLACK: a counter of the kernel's, and what the events say.
check_sum() {
	if [ $(($2 - $3)) -le "$4" ] && [ $(($3 - $2)) -le "$4" ]; then
		pass "$1 grew by $2 bytes, the events make it $3"
	else
		fail "$1 grew by $2 bytes, the events make it $3, and no more than $4 are explained"
	fi
}

# By the function that it is for: what helpers allocate is at their call sites.
check_helper() {
	local allocs live live_bytes
	read -r allocs live live_bytes <<<"$("$KMEMTAPE" replay --by owner --format json "$tape" | jq -r --arg site "$site" \
		--arg owner "$module" '[.owners[] | select(.function == $site and .module == $owner and .space == "slab")] |
		"\(map(.allocs) | add // 0) \(map(.live_objects) | add // 0) \(map(.live_bytes) | add // 0)"')"
	# What a packet takes is the network's matter, and not announced.
	[ "$(announced bytes)" != 0 ] || live_bytes=0
	if [ "$allocs $live $live_bytes" = "$(announced allocs) $(announced objects) $(announced bytes)" ]; then
		pass "$site [$module]: owns $live objects of $allocs, $live_bytes bytes announced"
	else
		fail "$site [$module]: allocs live bytes by owner are $allocs $live $live_bytes, not $(announced allocs)" \
			"$(announced objects) $(announced bytes)"
	fi
}

# One object in eight, and the interval holds the truth: one of 95 %, so that twice as far from the estimate must do.
check_sampled() {
	local estimate
	estimate=$(jq -c --arg site "$site" --arg owner "$module" --arg space slab '[.sites[] | select('"$named"')] | first.estimate' "$json")
	if jq -e --argjson objects "$(announced objects)" --argjson bytes "$(announced bytes)" '
		def holds($value; $at; $low; $high):
			$value >= $at - 2 * ($at - $low) and $value <= $at + 2 * ($high - $at);
		holds($objects; .objects; .objects_low; .objects_high) and
		holds($bytes; .bytes; .bytes_low; .bytes_high)' <<<"$estimate" >/dev/null; then
		pass "$site [$module]: $(announced objects) objects, $(announced bytes) bytes are within $estimate"
	else
		fail "$site [$module]: $(announced objects) objects, $(announced bytes) bytes are not within $estimate"
	fi
}

# Usage: check_filter FILTER: nothing but what jq's FILTER says of a row was recorded, and no free is unknown for it.
check_filter() {
	local others
	others=$(jq -r '[.sites[] | select('"$1"' | not) | .symbol // .call_site] | join(", ")' "$json")
	[ -z "$others" ] || fail "recorded in spite of the filter: $others"
	if jq -e '(.filters | length) > 0 and .matching.unknown_frees == 0 and .matching.filtered_frees > 0' "$json" >/dev/null; then
		pass "$(jq .matching.filtered_frees "$json") frees of what was not asked for, none of them unknown"
	else
		fail "filters, unknown and filtered frees are $(jq -c '[.filters, .matching.unknown_frees, .matching.filtered_frees]' "$json")"
	fi
}

# All sources together, each byte once: what the kernel's own counters grew by, and the pages that are in none of them. A
# twentieth may be slabs that are not full, and stacks of tasks.
check_total() {
	local counted=0 key pages
	for key in SUnreclaim: SReclaimable: VmallocUsed: Percpu:; do
		counted=$((counted + ($(counter /proc/meminfo $key end) - $(counter /proc/meminfo $key start)) * 1024))
	done
	pages=$(jq '[.sites[] | select(.space == "page" and .use == "kernel") | .live_bytes] | add // 0' "$json")
	check_sum "Memory by the kernel's counters and its own pages" $((counted + pages)) "$(jq .matching.live_bytes "$json")" \
		$(((counted + pages) / 20))
}

# Usage: vmalloc_at NAME: "areas bytes" of $site's areas in the snapshot NAME (start, end) of the tape, without guard pages.
vmalloc_at() {
	zstd -dcq "$tape/snapshots.zst" | awk -v name="$1" -v site="$site+0x" -v module="[$module]" -v guard="$page" '
		/^==> snapshot / { is_it = $6 == name; next }
		/^==> / { is_file = $2 == "/proc/vmallocinfo"; next }
		is_it && is_file && index($3, site) == 1 && $4 == module { areas++; bytes += $2 - guard }
		END { printf "%d %d", areas, bytes }'
}

check_vmalloc() {
	local start_areas start_bytes areas bytes
	read -r start_areas start_bytes <<<"$(vmalloc_at start)"
	read -r areas bytes <<<"$(vmalloc_at end)"
	if [ $((areas - start_areas)) = "$objects" ] && [ $((bytes - start_bytes)) = "$(announced bytes)" ]; then
		pass "$site [$module]: vmallocinfo grew by $objects areas, $((bytes - start_bytes)) bytes"
	else
		fail "$site [$module]: vmallocinfo grew by $((areas - start_areas)) areas, $((bytes - start_bytes)) bytes," \
			"not by $objects, $(announced bytes)"
	fi
	if [ -z "$(jq -r '.vmalloc // ""' "$tape/manifest.json")" ]; then
		gap "$site [$module]: no event says that it allocates"
		return
	fi
	check_areas
}

# Areas that the events tell of: their sizes are with a guard page. The kernel's sums are of all areas.
check_areas() {
	local rows allocs frees reused live live_bytes rest want
	read -r rows allocs frees reused live live_bytes rest <<<"$(sums "$named")"
	want="$(announced allocs) 0 $(announced objects) $(($(announced bytes) + page * $(announced objects)))"
	if [ "$allocs $reused $live $live_bytes" = "$want" ]; then
		pass "$site [$module]: $live areas, $live_bytes bytes of $allocs"
	else
		fail "$site [$module]: allocs reused live bytes are $allocs $reused $live $live_bytes, not $want"
	fi
}

# Usage: all_areas NAME: "areas bytes" of the snapshot NAME, with guard pages.
all_areas() {
	zstd -dcq "$tape/snapshots.zst" | awk -v name="$1" '
		/^==> snapshot / { is_it = $6 == name; next }
		/^==> / { is_file = $2 == "/proc/vmallocinfo"; next }
		is_it && is_file && !/unpurged|vm_map_ram/ { areas++; bytes += $2 }
		END { printf "%d %d", areas, bytes }'
}

# All areas together: what the kernel lists, with guard pages; and what it counts, which are the pages in them. Stacks of
# tasks that come or go while a snapshot is made may be in the one and not in the other, of two at most.
check_vmalloc_sums() {
	local areas bytes start_areas start_bytes live live_bytes slack=$((2 * 5 * page))
	read -r start_areas start_bytes <<<"$(all_areas start)"
	read -r areas bytes <<<"$(all_areas end)"
	read -r live live_bytes <<<"$(jq -r '[.sites[] | select(.space == "vmalloc")] |
		"\(map(.live_objects) | add // 0) \(map(.live_bytes) | add // 0)"' "$json")"
	check_sum "vmallocinfo" $((bytes - start_bytes)) "$live_bytes" $slack
	# From Linux 7 on it is counted for each CPU, and up to 20 pages each are not in the sum yet.
	slack=$((slack + 2 * 20 * page))
	check_sum "VmallocUsed of meminfo" \
		$((($(counter /proc/meminfo VmallocUsed: end) - $(counter /proc/meminfo VmallocUsed: start)) * 1024)) \
		$((live_bytes - live * page)) $slack
}

# Usage: counter FILE KEY NAME: of the snapshot NAME, the number behind KEY.
counter() {
	zstd -dcq "$tape/snapshots.zst" | awk -v file="$1" -v key="$2" -v name="$3" '
		/^==> snapshot / { is_it = $6 == name; next }
		/^==> / { is_file = $2 == file; next }
		is_it && is_file && $1 == key { print $2 }'
}

check_site() {
	space=slab
	case "$kind" in
	pages | pieces) space=page ;;
	percpu | vmalloc) space=$kind ;;
	esac
	case "$kind" in
	helper) check_helper ;;
	slab) if [ "$scenario" = sampled ]; then check_sampled; else check_slab; fi ;;
	init) check_init ;;
	untraced) check_untraced ;;
	vmalloc) check_vmalloc ;;
	pages) compare "$site [$module]" "$(sums "$named")" ;;
	pieces) check_pieces ;;
	percpu) check_percpu ;;
	*) fail "$site: kind $kind is unknown" ;;
	esac
}

# What was not announced must not look live at these modules' functions.
check_rest() {
	local known modules rest
	known=$(sed -n 's/^leak site=\([^ ]*\).*/\1/p' "$dir/truth" | jq -R . | jq -s .)
	modules=$(sed -n 's/^leak .*module=\([^ ]*\).*/\1/p' "$dir/truth" | jq -R . | jq -s .)
	rest=$(jq -c --argjson known "$known" --argjson modules "$modules" '
		[.sites[] | select(.live_objects > 0 and .function != null) | .module as $of | .function as $name |
		select(any($modules[]; . == $of) and all($known[]; . != $name)) |
		"\(.symbol // .call_site): \(.live_objects)"]' "$json")
	[ "$rest" = '[]' ] || fail "not announced, but live: $rest"
}

# Two modules, one after the other at the same addresses: two rows with one call site.
check_same_address() {
	local codes sites
	codes=$(sed -n 's/.* code=\(0x[0-9a-f]*\).*/\1/p' "$dir/truth" | sort -u | wc -l)
	sites=$(jq '[.sites[] | select(.function == "lab_first_leak" or .function == "lab_second_leak") | .call_site] |
		"\(length) rows, \(unique | length) call sites"' -r "$json")
	if [ "$codes" != 1 ]; then
		fail "the modules were not at the same addresses: nothing is shown"
	elif [ "$sites" = "2 rows, 1 call sites" ]; then
		pass "two modules at the same addresses are told apart"
	else
		fail "two modules at the same addresses: $sites"
	fi
}

# In an interrupt, nothing belongs to the task that was interrupted.
check_interrupt() {
	local live
	live=$("$KMEMTAPE" replay --by comm --format json "$tape" |
		jq '[.comms[] | select(.comm == "<interrupt>") | .live_objects] | add // 0')
	if [ "$live" -ge "$(announced objects)" ]; then
		pass "the interrupt's are not the task's"
	else
		fail "$live objects belong to interrupts, of $(announced objects) or more"
	fi
}

# The sentence for those who read nothing else. What left with its module can't be freed any more: no doubt about that.
check_verdict() {
	local wrong
	if ! judge "$tape" "$dir/judged.json" 2>"$dir/replay.err"; then
		fail "replay --grace $GRACE: $(head -n 1 "$dir/replay.err")"
		return
	fi
	[ -n "$first" ] && [[ $headline == "$first"* ]] || fail "the report begins with '$first', not with '$headline'"
	wrong=$(wrongly_accused "$dir/judged.json")
	[ -z "$wrong" ] || fail "not announced, but a leak: $wrong"
	if [ -z "$(leaks "$RECORDED")" ]; then
		check_innocence
	elif [ "$leak" != likely ] && [ "$leak" != possible ]; then
		fail "verdict $leak: $headline"
	elif [ "$leak" != likely ] && [[ $scenario =~ ^(rmmod|reload|same-address) ]]; then
		fail "verdict only $leak, and the module is gone: $headline"
	elif is_exact "$headline" || { [[ $headline == *": about +"* ]] && accuses_truth "$headline"; }; then
		pass "verdict $leak: $headline"
	else
		fail "verdict $leak, not of what was announced: $headline"
	fi
}

check_innocence() {
	if [ "$leak" != none ]; then
		fail "verdict $leak, but nothing recorded leaks: $headline"
	else
		pass "verdict none: $headline"
	fi
}

# The recorder's own probes must not outlive it.
check_probes() {
	if [ -s "$dir/dynamic_events" ]; then
		fail "probes were left behind: $(head -n 1 "$dir/dynamic_events")"
	elif ! has_free_probes; then
		gap "there were no free probes, and all of these kernels have kprobes"
	else
		pass "free probes were used, and are gone"
	fi
}

# Usage: check_pair LINE: objects of a kind of its own, by who called the function that allocates.
check_pair() {
	local pair rows
	pair=${1##* pair=}
	# shellcheck disable=SC2016 # variables of jq
	# The other kinds of objects that the same function allocates are none of it.
	rows='.function == $site and .module == $owner and (.pair // "'$pair'") == "'$pair'"'
	compare "$pair of $site [$module]" "$(sums "$rows")"
}

# The kernel counts its dentries itself: before and after the command that makes most of them.
check_dentries() {
	local grown live
	grown=$(awk 'NR == 1 { before = $1 } NR == 2 { print $1 - before }' "$dir/dentries")
	live=$(jq '([.sites[] | select(.pair)] | length) as $named | [.sites[] |
		select(if $named > 0 then .pair == "dentry" else .cache == null and (.function // "" | test("^d_(alloc|make)")) end) |
		.live_objects] | add // 0' "$json")
	if [ "$live" -ge $((grown - 20)) ] && [ "$live" -le $((grown + 20)) ]; then
		pass "dentries: $live are live, the kernel counts $grown more than before"
	else
		fail "dentries: $live are live, but the kernel counts $grown more than before"
	fi
}

# Their numbers; that nobody else is accused; and that nothing is left of their probes.
check_pairs() {
	local line known wrong
	while read -r line; do
		fields "$line"
		check_pair "$line"
	done < <(grep '^leak .* kind=pair ' "$dir/truth")
	check_dentries
	known=$(sed -nE 's/^leak site=([^ ]*) .* objects=[1-9].*/\1/p' "$dir/truth")
	judge "$tape" "$dir/judged.json" 2>"$dir/replay.err" || fail "replay --grace $GRACE: $(head -n 1 "$dir/replay.err")"
	wrong=$(jq -r --arg known "$known" '($known | split("\n")) as $known | [.sites[] | select(.class == "leak") |
		.function // .call_site | select(. as $it | all($known[]; . != $it))] | join(", ")' "$dir/judged.json")
	[ -z "$wrong" ] || fail "not announced, but a leak: $wrong"
	if [ -z "$(leaks pair)" ]; then
		[ "$leak" != likely ] || fail "verdict likely, but nothing leaks: $headline"
	elif is_exact "$headline"; then
		pass "verdict $leak: $headline"
	else
		fail "verdict $leak, not of what was announced: $headline"
	fi
	[ ! -s "$dir/dynamic_events" ] || fail "probes were left behind: $(head -n 1 "$dir/dynamic_events")"
}

# Areas in the kernel's own list, in the first and in the last snapshot. Those that wait for the next flush are freed, and
# those of vm_map_ram() are none of vmalloc().
areas_grown() {
	zstd -dcq "$tape/snapshots.zst" | awk '
		/^==> / { is_it = $2 == "/proc/vmallocinfo"; nr_lists += is_it; next }
		is_it && /^0x/ && !/unpurged|vm_map_ram/ { nr[nr_lists]++ }
		END { print nr[nr_lists] - nr[1] }'
}

# Usage: compare_areas SUMS: with what was announced for $site; each area has a guard page.
compare_areas() {
	local rows allocs frees reused live bytes _
	read -r rows allocs frees reused live bytes _ <<<"$1"
	if [ "$allocs $frees $reused $live $bytes" = "$(announced allocs) $(($(announced allocs) - $(announced objects))) 0 $(
		announced objects) $(($(announced bytes) + 4096 * $(announced objects)))" ]; then
		pass "areas of $site [$module]: $live, $bytes bytes with their guard pages, of $allocs"
	else
		fail "areas of $site [$module]: $rows rows, allocs frees reused live bytes are $allocs $frees $reused $live $bytes;" \
			"announced: $(grep "site=$site " "$dir/truth")"
	fi
}

# By the callers, exactly; and all together as the kernel counts them, but for what came and went around the snapshots.
check_all_areas() {
	local line grown seen
	[ "$(jq -r '.vmalloc // ""' "$tape/manifest.json")" = probes ] || fail "areas were not recorded by probes"
	while read -r line; do
		fields "$line"
		# shellcheck disable=SC2016 # variables of jq
		compare_areas "$(sums '.space == "vmalloc" and .function == $site and .module == $owner')"
	done < <(grep '^leak .* kind=area ' "$dir/truth")
	grown=$(areas_grown)
	seen=$(jq '[.probes[] | select(.event == "kmemtape:vma_new").hits] + [.probes[] | select(.event == "kmemtape:vma_del").hits] |
		.[0] - .[1]' "$tape/manifest.json")
	if [ $((seen - grown)) -ge -4 ] && [ $((seen - grown)) -le 4 ]; then
		pass "areas: $seen more, the kernel lists $grown more"
	else
		fail "areas: $seen more, but the kernel lists $grown more"
	fi
	[ ! -s "$dir/dynamic_events" ] || fail "probes were left behind: $(head -n 1 "$dir/dynamic_events")"
}

if ! grep -q '^leak ' "$dir/truth" 2>/dev/null; then
	fail "no module announced anything"
	finish
fi
! grep '^not as planned' "$dir/truth" >&2 || fail "the modules didn't do as planned"
"$KMEMTAPE" verify "$tape" >"$dir/verify" 2>&1 || fail "verify: $(tail -n 1 "$dir/verify")"
if ! "$KMEMTAPE" replay --format json "$tape" >"$json" 2>"$dir/replay.err"; then
	fail "replay: $(head -n 1 "$dir/replay.err")"
	finish
fi
lost=$(jq .events.lost "$json")
if [ "$lost" != 0 ] || [ "$(jq .tape.complete "$json")" != true ]; then
	fail "$lost events were lost, complete: $(jq .tape.complete "$json")"
	finish
fi
case "$scenario" in
pairs*)
	check_pairs
	finish
	;;
areas*)
	check_all_areas
	finish
	;;
esac
# Of slab: a block of pages that is freed in parts ends more than once.
[ "$(jq -r '.sets // "slab"' "$tape/manifest.json")" != slab ] || jq -e '.events as $e | .matching as $m |
	$e.allocs - $e.failed_allocs - $e.zero_size - $m.replaced == $m.paired + $m.reused + $m.live and
	$e.frees - $e.null_frees == $m.paired + $m.unknown_frees + $m.filtered_frees + $m.deferred_frees and
	([.sites[].live_objects] | add) == $m.live' "$json" >/dev/null || fail "the books don't balance"

done=' '
while read -r line; do
	fields "$line"
	# Announced by each load, looked at once; what has no name, once at each address.
	what=$site/$module
	[ "$kind" != init ] || what=$what/$code
	[[ $done != *" $what "* ]] || continue
	done="$done$what "
	check_site
done < <(grep '^leak ' "$dir/truth")
check_rest
check_verdict
[ -z "$(jq -r '.vmalloc // ""' "$tape/manifest.json")" ] || check_vmalloc_sums
case "$scenario" in
same-address*) check_same_address ;;
timer | irq) check_interrupt ;;
rcu*) check_probes ;;
sources) [ -z "$(jq -r '.vmalloc // ""' "$tape/manifest.json")" ] || check_total ;;
filter-module) check_filter '.module == "lab_owner"' ;;
filter-cache) check_filter '.cache == "kmalloc-96"' ;;
filter-size) check_filter '.allocs == 0 or .live_objects == 0 or .live_bytes / .live_objects >= 10000' ;;
kmalloc | cache) bash "$(dirname "$0")/lines.sh" "$scenario" "$dir" || true ;; # it says fail
esac
finish
