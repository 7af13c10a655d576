#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# All memory of this machine for some seconds, with stacks and counters: distilled, and redacted before that, the tape gives the
# same report in a small part of its size.
. "$(dirname "$0")/lib.sh"

"$KMEMTAPE" record -q -o "$WORK/tape.w" -e all --stack --settle 0s -d 4s 2>"$WORK/why" || fail "$(cat "$WORK/why")"

# same WHOLE DISTILLED OPTION...
same()
{
	local whole=$1 distilled=$2
	shift 2
	"$KMEMTAPE" replay --format json "$@" "$whole" 2>&1 | sed "s|$whole|TAPE|" >"$WORK/a"
	"$KMEMTAPE" replay --format json "$@" "$distilled" 2>&1 | sed "s|$distilled|TAPE|" >"$WORK/b"
	cmp -s "$WORK/a" "$WORK/b" || fail "$*: $(diff "$WORK/a" "$WORK/b" | head -n 10)"
	[ "$(wc -l <"$WORK/b")" -gt 400 ] || fail "$*: few rows"
}

"$KMEMTAPE" pack --distill -o "$WORK/tape.d" "$WORK/tape.w" 2>"$WORK/why" || fail "$(cat "$WORK/why")"
for by in site owner stack; do
	same "$WORK/tape.w" "$WORK/tape.d" --by $by
done
"$KMEMTAPE" pack --redact -o "$WORK/tape.r" "$WORK/tape.w" 2>"$WORK/why" || fail "$(cat "$WORK/why")"
"$KMEMTAPE" pack --redact --distill -o "$WORK/tape.s" "$WORK/tape.w" 2>"$WORK/why" || fail "$(cat "$WORK/why")"
same "$WORK/tape.r" "$WORK/tape.s"
whole=$(du -sb "$WORK/tape.w" | cut -f1)
bytes=$(stat -c %s "$WORK/tape.d")
echo "$whole bytes, distilled $bytes"
[ "$bytes" -lt 1000000 ] || fail "$bytes bytes are too many"
"$KMEMTAPE" pack --redact -o "$WORK/again" "$WORK/tape.d" 2>"$WORK/why" && fail "what is distilled was redacted"
grep -q distilled "$WORK/why" || fail "redact: $(cat "$WORK/why")"
exit 0
