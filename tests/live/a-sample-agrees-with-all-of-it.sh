#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Three recorders at the same time, of the same load: one records all of it, the others 1/8 and 1/16. What is live by the
# full tape lies within what the samples estimate: in total, of the program that holds thousands of objects, and at its
# call sites.
#
# An interval of 95 % misses once in twenty; so each is taken WIDER times as wide, which is 4.9 standard deviations to
# either side: a normal estimate misses that once in a million. Where there is enough to count, it must still be narrow
# enough to tell wrong weights.
. "$(dirname "$0")/lib.sh"

WIDER=2.5
WRONG=1.5 # weights that are wrong by so much must be seen

HOLDERS=4 # since a process may not have that much open
declare -A recorder
holders=()

clean_up_more()
{
	for pid in ${recorder[@]+"${recorder[@]}"} ${holders[@]+"${holders[@]}"}; do
		kill -TERM "$pid" 2>/dev/null && wait "$pid"
	done
}

# start NAME OPTION...: a recorder, and waits until it records
start()
{
	name=$1
	shift
	"$KMEMTAPE" record -q -e slab,page --stack --settle 0 -o "$WORK/$name.tape" "$@" 2>"$WORK/$name.log" &
	recorder[$name]=$!
	until_true 20 is_recording $! || fail "$name doesn't start: $(cat "$WORK/$name.log")"
}

# end NAME...: these recorders, which end at the same time
end()
{
	for name in "$@"; do
		kill -INT "${recorder[$name]}"
	done
	for name in "$@"; do
		wait "${recorder[$name]}" || fail "$name: exit status $?: $(cat "$WORK/$name.log")"
		unset "recorder[$name]"
	done
}

are_ready()
{
	for i in "${!holders[@]}"; do
		[ -e "$WORK/ready.$i" ] || return 1
	done
}

# live_between ON OFF END: of the full tape's slab, by hand: how many objects and bytes that were allocated from ON to OFF
# were not freed until END
live_between()
{
	awk -v on="$1" -v off="$2" -v end="$3" '
		function value(name,  i) {
			for (i = 4; i <= NF; i++)
				if (index($i, name "=") == 1) return substr($i, length(name) + 2)
		}
		$1 < on || $1 > end { next }
		$3 ~ /free$/ { delete bytes[value("ptr")]; next }
		$1 <= off { bytes[value("ptr")] = value("bytes_alloc") }
		END {
			for (ptr in bytes) if (bytes[ptr]) { objects++; sum += bytes[ptr] }
			printf "%d %.0f\n", objects, sum
		}' "$WORK/events"
}

# expect_even WHAT N SITE ON OFF END: the estimator takes it that the kernel hands out pages whose number ends in zeros as
# often as any others. It is not always so: then there is nothing to compare, and that is said. By hand, from the full tape:
# of what is live (at SITE, or "" anywhere), the part that is in such pages, which N times is all of it but for chance.
expect_even()
{
	awk -v what="$1" -v n="$2" -v site="$3" -v on="$4" -v off="$5" -v end="$6" '
		function value(name,  i) {
			for (i = 4; i <= NF; i++)
				if (index($i, name "=") == 1) return substr($i, length(name) + 2)
		}
		$1 < on || $1 > end { next }
		$3 ~ /free$/ { delete live[value("ptr")]; next }
		$1 <= off && (site == "" || value("call_site") == site) { live[value("ptr")] = 1 }
		END {
			zeros = n == 8 ? "[08]" : "0"
			for (ptr in live) { page = substr(ptr, 1, length(ptr) - 3); pages[page]++; all++ }
			for (page in pages) {
				squares += pages[page] * pages[page]
				if (page ~ zeros "$") kept += pages[page]
			}
			sd = sqrt((n - 1) * squares) / all
			share = kept * n / all
			if (share < 1 - 3 * sd || share > 1 + 3 * sd) {
				printf "1/%d: %s: pages that end in zeros have %.2f times their share, where chance explains %.2f\n", n, what, share, 3 * sd
				exit 1
			}
		}' "$WORK/events" >"$WORK/uneven" || skip "$(cat "$WORK/uneven")"
}

# is_within WHAT TRUTH ESTIMATE LOW HIGH [narrow]
is_within()
{
	[ $# -ge 5 ] || fail "$1: truth, estimate, low and high are $*"
	awk -v what="$1" -v truth="$2" -v estimate="$3" -v low="$4" -v high="$5" -v wider=$WIDER -v wrong=$WRONG -v narrow="${6-}" 'BEGIN {
		low = estimate - wider * (estimate - low)
		high = estimate + wider * (high - estimate)
		is_wide = low * wrong < estimate || high > estimate * wrong
		printf "%s: %.0f, estimated %.0f, from %.0f to %.0f%s\n", what, truth, estimate, low, high, is_wide ? ": wide" : ""
		exit truth < low || truth > high || (narrow && is_wide)
	}' || fail "$1: that is not within, or tells nothing"
}

# compare_rows WHAT FILTER [narrow]: of the rows that jq's FILTER finds in both reports, which is one in each; by objects
compare_rows()
{
	is_within "1/$n: $1, objects" $(jq -r "$2 | .live_objects" "$WORK/full.json") \
		$(jq -r "$2 | .estimate | .objects, .objects_low, .objects_high" "$WORK/$n.json") ${3-}
}

ulimit -n "$(ulimit -Hn)"
tracefs_state >"$WORK/before"
start full
start 8 --sample 1/8
start 16 --sample 1/16
for ((i = 0; i < HOLDERS; i++)); do
	"$HELPERS/hold" --pipes 2500 --timerfds 1000 --eventfds 1000 --filters 300 --rings 100 --for 120000 \
		--ready "$WORK/ready.$i" </dev/null >"$WORK/said.$i" 2>&1 &
	holders+=($!)
done
find /usr/share /proc/self -maxdepth 2 -name none >/dev/null 2>&1
until_true 60 are_ready || skip "can't hold so much here: $(cat "$WORK"/said.*)"
end 8 16
end full
tracefs_state | diff "$WORK/before" - || fail "tracefs differs"

for name in full 8 16; do
	"$KMEMTAPE" replay --format json "$WORK/$name.tape" >"$WORK/$name.json" || fail "$name: replay: exit status $?"
	jq -e '.events.lost == 0 and .events.losses == 0' "$WORK/$name.json" >/dev/null ||
		skip "$name: events were lost: $(jq -c .events "$WORK/$name.json")"
done
dump "$WORK/full.tape"
events 'kmalloc|kmalloc_node|kmem_cache_alloc|kmem_cache_alloc_node|kfree|kmem_cache_free' | sort -s -n -k 1,1 >"$WORK/events"

[ "$(getconf PAGESIZE)" = 4096 ] || skip "knows pages of 4 KiB only"
for n in 8 16; do
	# All that was allocated while both recorded. Not so of pages: user memory comes and goes by the 100 MB.
	times=$(jq -r '.time | .allocs_on_ns, .allocs_off_ns, .end_ns' "$WORK/$n.tape/manifest.json")
	expect_even "slab" $n "" $times
	read -r objects bytes <<<"$(live_between $times)"
	is_within "1/$n: slab, objects" $objects \
		$(jq '.spaces[] | select(.space == "slab") | .estimate | .objects, .objects_low, .objects_high' "$WORK/$n.json")
	is_within "1/$n: slab, bytes" $bytes \
		$(jq '.spaces[] | select(.space == "slab") | .estimate | .bytes, .bytes_low, .bytes_high' "$WORK/$n.json") narrow

	# Where the program allocated, which began when all recorded, and still runs.
	for symbol in $(jq -r '.sites[] | select(.space == "slab" and .live_objects >= 4000) | .symbol |
		select(test("^alloc_pipe_info\\+|timerfd_create\\+|do_eventfd"))' "$WORK/full.json"); do
		expect_even "$symbol" $n "$symbol" $times
		compare_rows "$symbol" ".sites[] | select(.symbol == \"$symbol\")"
	done
	compare_rows "rings' pages" '.sites[] | select(.space == "page" and (.function // "" |
		test("^(packet_set_ring|alloc_pg_vec|alloc_one_pg_vec_page)")))' narrow
done
exit 0
