#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Whoever asks for a call site, cache or module that isn't on the tape is told in one line what is near; a table that would be too
# long, how long its intervals have to be.
set -u
failed=0
err=$(mktemp)
out=$(mktemp)
trap 'rm -f "$err" "$out"' EXIT
tape=$KMT_TESTS/frozen/s390x.tape

expect() { # TEXT OPTION...
	local text=$1 said status
	shift
	said=$("$KMEMTAPE" replay --threads 0 "$@" "$tape" 2>"$err")
	status=$?
	if [ $status -ne 1 ] || [ -n "$said" ] || [ "$(wc -l <"$err")" -ne 1 ] || ! grep -qF -- "$text" "$err"; then
		echo "replay $*: exit $status, stderr '$(cat "$err")', wanted '$text'"
		failed=1
	fi
}

row=$("$KMEMTAPE" replay --threads 0 --format json "$tape" | jq -r '[.sites[] | select(.function and (.function | length) > 8)][0] | [.function, .symbol] | @tsv')
IFS=$'\t' read -r function symbol <<<"$row"
[ -n "$function" ] || exit 1
expect "no allocation at '${function}x': did you mean '$symbol" --explain "${function}x"
expect "no allocation at '$function+0x1': did you mean '$function+0x" --explain "$function+0x1"
expect "no allocation at '$function [nowhere]': did you mean '$function+0x" --explain "$function [nowhere]"
expect "no allocation at 'zzzzzzzz' is on the tape" --explain zzzzzzzz
expect "no allocation from cache 'kmalloc-65': did you mean 'kmalloc-64'" --interval 1s --only cache=kmalloc-65
expect "no allocation by module 'nowhere' is on the tape" --interval 1s --only module=nowhere
expect "no allocation by pid '2000000000' is on the tape" --interval 1s --only pid=2000000000
expect "intervals of 1 ns is too long" --interval 1ns
least=$(sed -n 's/.*: take \(.*\) or more$/\1/p' "$err")
if ! "$KMEMTAPE" replay --threads 0 --interval "${least// /}" "$tape" >"$out"; then
	echo "an interval of '$least', which it told to take, is too short, too"
	failed=1
fi
exit $failed
