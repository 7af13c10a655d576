#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# pack --redact: of all addresses on the golden and frozen tapes, none is on what becomes of them, in any form; and they
# replay to the same report.
set -u
# shellcheck source=tests/cli/redacted-lib.sh
. "$(dirname "$0")/redacted-lib.sh"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0
nr=0
at=0

fail() {
	echo "$*"
	failed=1
}

# check NAME TAPE OPTION...
check() {
	local name=$1 tape=$2
	shift 2
	nr=$((nr + 1))
	if ! redact "$tape"; then
		fail "$name: $(cat said)"
		return
	fi
	known_of "$tape"
	search redacted.tape || fail "$name: $(cat found)"
	[[ "$*" != *"comm"* ]] || return
	report "$@" "$tape" >old.json
	report "$@" redacted.tape >new.json
	diff old.json new.json >changes || fail "$name: another report: $(head -n 20 changes)"
}

for tape in "$KMT_TESTS"/frozen/*.tape; do
	check "$(basename "$tape")" "$tape"
	"$KMEMTAPE" verify -q redacted.tape || fail "$tape: does not verify"
done
# Every second one: the others are what redacted-tapes-are-the-same-for-any-base looks at.
for script in "$KMT_TESTS"/golden/*.script; do
	at=$((at + 1))
	[ $((at % 2)) = 0 ] || continue
	rm -rf golden.tape
	"$MKTAPE" "$script" -o golden.tape || exit 1
	# shellcheck disable=SC2046 # options are words
	check "$(basename "$script")" golden.tape $(sed -n 's/^# replay: //p' "$script")
done
[ $nr -ge 40 ] || fail "only $nr tapes"
exit $failed
