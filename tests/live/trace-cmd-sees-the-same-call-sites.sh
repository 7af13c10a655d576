#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# trace-cmd and kmemtape record the same task at once: the same events from the same call sites, count by count.
. "$(dirname "$0")/lib.sh"

command -v trace-cmd >/dev/null || skip "needs trace-cmd"

make_trace_cmd_record
# The task under test lives within both recordings; its name tells its events.
"$KMEMTAPE" record -q --settle 0 -o "$WORK/both.tape" -- unshare -m bash "$WORK/trace-cmd-record" \
	-b 20000 -C mono -o "$WORK/trace.dat" -e kmem:kmalloc -e kmem:kfree -e kmem:kmem_cache_alloc -e kmem:kmem_cache_free \
	"$HELPERS/hold" --pipes 500 --eventfds 500 --close-after 10 --for 300 >"$WORK/said" 2>&1
[ -s "$WORK/trace.dat" ] || skip "trace-cmd can't record here: $(tail -n 1 "$WORK/said")"

trace-cmd report -R -t -i "$WORK/trace.dat" >"$WORK/report" 2>/dev/null # -t: nanoseconds
grep -qiE 'EVENTS? DROPPED|missed|overrun' "$WORK/report" && skip "trace-cmd lost events"
"$KMEMTAPE" replay --format json "$WORK/both.tape" >"$WORK/json" || fail "replay"
jq -e '.events.lost == 0' "$WORK/json" >/dev/null || skip "kmemtape lost events"

# Both as lines "PID EVENT CALL_SITE", in order of time. trace-cmd: "comm-123 [000] 12.345678901: kmalloc: call_site=f+0x4d ..."
awk '{ task = $1; sub(/.*-/, "", task); sub(/:$/, "", $4); sub(/^call_site=/, "", $5)
	if ($4 ~ /^k(malloc|free|mem_cache_alloc|mem_cache_free)$/) print task, $4, $5 }' "$WORK/report" >"$WORK/theirs.all"
dump "$WORK/both.tape"
awk '$3 ~ /^k(malloc|free|mem_cache_alloc|mem_cache_free)$/ {
	for (i = 4; i <= NF; i++)
		if ($i ~ /^pid=/) task = substr($i, 5)
		else if ($i ~ /^call_site=/) site = substr($i, 11)
	print task, $3, site
}' "$WORK/dump" >"$WORK/ours.all"
pid=$(awk '$3 ~ /^alloc_pipe_info\+/ { n[$1]++ } END { for (p in n) if (n[p] >= 1000) print p }' "$WORK/theirs.all")
[ -n "$pid" ] || fail "trace-cmd saw no pipes: $(head -n 5 "$WORK/report")"

# The recordings begin and end at different times: compare what lies between the first pipe made and the last one freed.
# Functions whose name is not unique are left out: trace-cmd names them, tapedump gives their address.
zstd -qdc "$WORK/both.tape/symbols/kallsyms.zst" | awk '{ print $3 }' | sort | uniq -d >"$WORK/ambiguous"
counts()
{
	awk -v pid="$pid" '
		FNR == NR { ambiguous[$1]; next }
		$1 == pid {
			if ($3 ~ /^alloc_pipe_info\+/) is_in = 1
			name = $3
			sub(/\+.*/, "", name)
			if (is_in && !(name in ambiguous) && name !~ /^0x/) waiting[$2 " " $3]++
			if ($3 ~ /^free_pipe_info\+/)
				for (key in waiting) { n[key] += waiting[key]; delete waiting[key] }
		}
		END { for (key in n) print n[key], key }' "$WORK/ambiguous" "$1" | sort -k 2
}
counts "$WORK/theirs.all" >"$WORK/theirs"
counts "$WORK/ours.all" >"$WORK/ours"
[ "$(awk '{ n += $1 } END { print n + 0 }' "$WORK/theirs")" -gt 3000 ] || fail "too few events: $(cat "$WORK/theirs")"
diff "$WORK/theirs" "$WORK/ours" || fail "< trace-cmd, > kmemtape: counts by event and call site differ"
# And every call site of trace-cmd's is one of replay's, but for helpers whose event was the first of two for one
# large allocation: replay gives it to the caller.
jq -r '.sites[].symbol' "$WORK/json" | sort -u >"$WORK/sites"
missing=$(awk '$2 ~ /alloc/ { print $3 }' "$WORK/theirs" | sort -u | grep -v '_noprof+' | comm -23 - "$WORK/sites")
[ -z "$missing" ] || fail "call sites that only trace-cmd has: $missing"
exit 0
