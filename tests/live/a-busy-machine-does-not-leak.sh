#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# hackbench makes and frees a million objects a second, many of them by ways that the kernel does not trace: no leak. With
# a program beside it that opens ten pipes a second and keeps them: a leak, of alloc_pipe_info, though nothing else
# is different. And when pages of these tapes are missing, the verdict may be unsure, but not wrong.
. "$(dirname "$0")/lib.sh"

command -v hackbench >/dev/null || skip "needs hackbench (rt-tests)"
GRACE=1s
SECONDS_EACH=10 # ten times as long as what is too young to be judged

# busy SECONDS: sockets and pipes in turn, not more than tests have memory for
busy()
{
	end=$((SECONDS + $1))
	while [ $SECONDS -lt $end ]; do
		hackbench -g 1 -l 200
		hackbench -p -P -g 1 -l 200
		sleep 1.5
	done >/dev/null
}
export -f busy

# dropped TAPE FUNCTION: with pages missing, only FUNCTION may be called a likely leak
dropped()
{
	for percent in 1 10 50; do
		rm -rf "$WORK/dropped.tape"
		"$TAPEDROP" --percent $percent --seed $percent --subbuf 4096 "$1" "$WORK/dropped.tape" >/dev/null ||
			fail "tapedrop: exit status $?"
		judge "$WORK/dropped.tape" $GRACE
		case "$LEAK $HEADLINE" in
		"likely "*" $2+0x"*) ;;
		likely*) fail "with $percent % of the pages missing: $HEADLINE" ;;
		esac
	done
}

"$KMEMTAPE" record -q -o "$WORK/healthy.tape" -- "$BASH" -c "busy $SECONDS_EACH" || fail "exit status $?"
grep -q '"symbols": *"good"' "$WORK/healthy.tape/manifest.json" || skip "this kernel hides its symbols"
judge "$WORK/healthy.tape" $GRACE
jq -e '.events.total > 150000' "$WORK/judged" >/dev/null || fail "that was hardly busy: $(jq -c .events "$WORK/judged")"
expect_no_leak "$WORK/healthy.tape" $GRACE bash hackbench sender receiver sleep
# These end by bulk frees or in a sheaf.
jq -r '.sites[] | select(.function != null and (.function | test("^(mas_|mt_|__alloc_skb|kmalloc_reserve|napi_skb)")) and
	.mature_objects >= 100) | "\(.class) \(.symbol) \(.mature_objects)"' "$WORK/judged" >"$WORK/untraced"
cat "$WORK/untraced"
! grep -vE '^(untraced-frees|transient|none|cache|uncertain) ' "$WORK/untraced" || fail "these are accused"
dropped "$WORK/healthy.tape" nothing

# However long that takes here, it leaks until the end.
clean_up_more() { [ ! -s "$WORK/leaker" ] || kill "$(cat "$WORK/leaker")" 2>/dev/null; }
"$KMEMTAPE" record -q -o "$WORK/leaking.tape" -- "$BASH" -c '
	"$1" --pipe-every 100 --for 250000 >/dev/null & echo $! >"$3"; busy "$2"' sh "$HELPERS/hold" $SECONDS_EACH "$WORK/leaker" ||
	fail "exit status $?"
clean_up_more
judge "$WORK/leaking.tape" $GRACE
case "$LEAK $HEADLINE" in
"likely "*" alloc_pipe_info+0x"* | "possible "*" alloc_pipe_info+0x"*) ;;
*) fail "ten pipes a second: $LEAK: $HEADLINE" ;;
esac
"$KMEMTAPE" replay --grace $GRACE "$WORK/leaking.tape" | head -n 1 | grep -q alloc_pipe_info || fail "it isn't in the first line"
# A pipe is an inode, a dentry and two files, too.
others=$(accused '.function | test("^(alloc_pipe_info|alloc_inode|alloc_empty_file|__d_alloc|security_|lsm_|create_pipe_files)")')
[ -z "$others" ] || fail "also accused: $others"
dropped "$WORK/leaking.tape" alloc_pipe_info
exit 0
