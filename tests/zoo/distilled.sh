#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Tapes of machines that leak, are sampled, lose events, are cut, unload modules: distilled, they give the same report, the sites
# that are suspected can be explained as before, and what the report says to type next is among them.
. "$KMT_TESTS/cli/distilled-lib.sh"

nr_next=0
next_is_possible() {
	local command
	command=$("$KMEMTAPE" replay "$distilled" | sed -n 's/^next: kmemtape replay --explain \([^ ]*\) .*/\1/p' | head -n 1)
	[ -n "$command" ] || return 0
	nr_next=$((nr_next + 1))
	"$KMEMTAPE" replay --explain "$command" "$distilled" >/dev/null || fail "$name: --explain $command is refused"
}

for scenario in leak-constant leak-two sampled-leaking loss-middle-leaking cut-leaking module-unloaded-leaking untraced-10; do
	name=$scenario
	rm -rf "$work/tape"
	"$ZOO_TAPE" "$KMT_TESTS/zoo/scenarios/$scenario" 1 "$work/truth.json" | "$MKTAPE" - -o "$work/tape" || fail "$name: no tape"
	distill "$work/tape"
	for by in site cache module; do
		same --format json --by $by
	done
	same
	same --top 3 --sort age
	same --exit-code
	same --exit-code --min-bytes 1G
	echo 'leak:foo_rx_alloc' >"$work/known"
	same --suppress "$work/known" --exit-code
	explain
	next_is_possible
done
[ $nr_next -ge 5 ] || fail "few tapes say what to explain next: $nr_next"
exit $failed
