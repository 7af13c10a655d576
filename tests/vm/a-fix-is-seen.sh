#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# `diff` of real tapes that the other tests of this suite left: the sites of a leak are gone in its healthy twin, new the
# other way round, and found again on another kernel, however fast they leaked there. Of 20 large objects, a slow machine
# may not have seen enough to tell.
set -u
: "${KMEMTAPE:?is the program to test}" "${VM_RESULTS:?is where the tapes are}"
failed=0
nr=0

# holds A B FILTER: of the items of the leaking module
holds() {
	local items
	items=$("$KMEMTAPE" diff --grace 500ms --format json "$1" "$2" |
		jq -c '[.items[] | select(.function // "" | test("^lab_kmalloc_")) | select(.a.suspect or .b.suspect)]')
	if jq -e "$3" <<<"$items" >/dev/null; then
		nr=$((nr + 1))
	else
		echo "$1 $2: not so: $3: $(jq -c '[.[] | [.function, .change, .why]]' <<<"$items")"
		failed=1
	fi
}

last=
for dir in "$VM_RESULTS"/*/kmalloc; do
	leak=$dir/tape
	healthy=$dir-healthy/tape
	# Whether they were judged at all is what their own tests say.
	grep -qs '^pass kmalloc verdict likely' "$dir/result" && [ -f "$healthy/manifest.json" ] || continue
	for pair in "$leak $healthy gone" "$healthy $leak new"; do
		read -r a b change <<<"$pair"
		holds "$a" "$b" "any(.[]; .change == \"$change\") and all(.[]; .change == \"$change\" or .change == \"cannot-tell\")"
	done
	[ -z "$last" ] || holds "$last" "$leak" 'any(.[]; .a.suspect and .b.suspect) and all(.[]; .change != "gone" and .change != "new")'
	last=$leak
done
[ $nr -gt 0 ] || [ $failed = 1 ] || {
	echo "there are no tapes of kmalloc and kmalloc-healthy"
	exit 77
}
exit $failed
