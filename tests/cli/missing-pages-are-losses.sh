#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# A tape whose pages were taken away by tapedrop is the same but for these, and says that they are missing: what the
# tests that judge such tapes rely on.
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0

fail() {
	echo "$*"
	failed=1
}

# On two CPUs, 3000 objects that come and go and 300 that stay, with a loss of its own, a pause and a discarded record;
# in large sub-buffers.
{
	echo "formats 6.18-64k"
	echo "subbuf 65536"
	echo "symbol ffffffff81000000 T busy"
	echo "symbol ffffffff81000100 T leaky"
	echo "symbol ffffffff81000200 T last"
	for ((i = 0; i < 3000; i++)); do
		t=$((1000000 + i * 100000)) cpu=$((i % 2))
		printf '%d %d kmalloc call_site=busy+0x10 ptr=0x%x bytes_req=60 bytes_alloc=64 gfp=0xcc0 pid=1\n' \
			$t $cpu $((0xffff888000000000 + i % 500 * 64))
		printf '%d %d kfree call_site=busy+0x40 ptr=0x%x pid=1\n' $((t + 50)) $((i / 3 % 2)) \
			$((0xffff888000000000 + i % 500 * 64))
		[ $((i % 10)) != 0 ] || printf \
			'%d %d kmalloc call_site=leaky+0x10 ptr=0x%x bytes_req=60 bytes_alloc=64 gfp=0xcc0 pid=1\n' \
			$((t + 60)) $cpu $((0xffff888010000000 + i * 64))
		[ $i != 1000 ] || printf '%d 0 lost 7\n' $((t + 70))
		[ $i != 1500 ] || printf '%d 0 pad 40\n' $((t + 80))
	done
	# Longer than the time field of a record.
	echo "900000000 1 kmalloc call_site=leaky+0x10 ptr=0xffff888020000000 bytes_req=60 bytes_alloc=64 gfp=0xcc0 pid=1"
} >script
"$MKTAPE" script -o whole.tape || exit 1

json() { "$KMEMTAPE" replay --format json "$1" | jq -S 'del(.tape.path)'; }

# drop NAME ARG...: in $nr and $events what is missing
drop() {
	rm -rf "$1"
	"$TAPEDROP" --subbuf 4096 "${@:2}" whole.tape/ "$1" >said || fail "tapedrop ${*:2}: exit $?"
	read -r _ nr _ all _ events _ < <(tr -d , <said)
	"$KMEMTAPE" verify "$1" >verify.out || fail "$1: $(tail -n 1 verify.out)"
	json "$1" >"$1.json"
}

json whole.tape >whole.json
drop none.tape --percent 0
[ "$nr $events" = "0 0" ] && [ "$all" -gt 40 ] || fail "none: $(cat said)"
cmp whole.json none.tape.json || fail "smaller sub-buffers change the report"

# The ring buffer is read in order: nothing but whole sub-buffers may be missing, and each loss is said.
total=$(jq .events.total whole.json)
for percent in 1 10 50 100; do
	for seed in 1 2 3; do
		drop lost.tape --percent $percent --seed $seed --stored
		[ "$nr" = $(((all * percent + 50) / 100)) ] || fail "$percent %: $(cat said)"
		[ "$events" -ge "$nr" ] || fail "$percent %: $events events in $nr sub-buffers"
		jq -e --argjson total "$total" --argjson lost "$events" \
			'.events.total == $total - $lost and .events.lost == $lost + 7' lost.tape.json >/dev/null ||
			fail "$percent %, seed $seed: $events of $total: $(jq -c .events lost.tape.json)"
		cp lost.tape.json stored.json

		drop lost.tape --percent $percent --seed $seed
		# Of an unknown number; but the tape's own loss stays as it is, where nothing is missing before it.
		jq -e '.events.lost == 0 or (.events.lost == 7 and .events.losses > 1)' lost.tape.json >/dev/null ||
			fail "$percent %, seed $seed, not stored: $(jq -c .events lost.tape.json)"
		"$KMEMTAPE" replay lost.tape | grep -q 'LOST' || fail "$percent %, seed $seed: no loss is said"
		[ "$(jq -c '[.matching, .sites]' lost.tape.json)" = "$(jq -c '[.matching, .sites]' stored.json)" ] ||
			fail "$percent %, seed $seed: other events are missing when the number is not stored"
	done
done

# The same seed takes the same, another one others.
drop a.tape --percent 10 --seed 5
drop b.tape --percent 10 --seed 5
drop c.tape --percent 10 --seed 6
cmp -s a.tape/cpu/0000.zst b.tape/cpu/0000.zst || fail "the same seed, and another tape"
cmp -s a.tape/cpu/0000.zst c.tape/cpu/0000.zst && cmp -s a.tape/cpu/0001.zst c.tape/cpu/0001.zst &&
	fail "another seed, and the same tape"
exit $failed
