#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# `diff` of real tapes that the other tests of this suite left: a leak against its healthy twin is fixed, the other way
# round worse, and the same leak on another kernel is found again, however fast that was.
set -u
: "${KMEMTAPE:?is the program to test}" "${VM_RESULTS:?is where the tapes are}"
failed=0
nr=0

# says ANSWER FUNCTION A B
says() {
	local first
	first=$("$KMEMTAPE" diff --grace 500ms "$3" "$4" | sed ':a; N; $!ba; s/\n  */ /; q' | head -n 1)
	case $first in
	"$1: $2"*) nr=$((nr + 1)) ;;
	*)
		echo "$3 $4: wanted '$1: $2', and not '$first'"
		failed=1
		;;
	esac
}

# finds_again A B: its three sites leak in both
finds_again() {
	if "$KMEMTAPE" diff --grace 500ms --format json "$1" "$2" | jq -e '[.items[] | select(.function // "" | test("^lab_kmalloc_")) |
		select(.a.suspect and .b.suspect)] | length == 3' >/dev/null; then
		nr=$((nr + 1))
	else
		echo "$1 $2: not the same leaks"
		failed=1
	fi
}

last=
for dir in "$VM_RESULTS"/*/kmalloc; do
	leak=$dir/tape
	healthy=$dir-healthy/tape
	# Whether they were judged at all is what their own tests say.
	grep -qs '^pass kmalloc verdict likely' "$dir/result" && [ -f "$healthy/manifest.json" ] || continue
	says FIXED lab_kmalloc_ "$leak" "$healthy"
	says WORSE lab_kmalloc_ "$healthy" "$leak"
	[ -z "$last" ] || finds_again "$last" "$leak"
	last=$leak
done
[ $nr -gt 0 ] || [ $failed = 1 ] || {
	echo "there are no tapes of kmalloc and kmalloc-healthy"
	exit 77
}
exit $failed
