#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Of a ring, one CPU may reach back much further than another. What is only there of one doesn't count, and that time isn't
# one in which nothing was allocated, either: the history begins where all CPUs are there, although names from before stay.
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0

fail() {
	echo "$*"
	failed=1
}

{
	cat <<-END
		kernel 6.18.0
		arch x86_64
		formats 6.18
		endian little
		long 8
		subbuf 4096
		clock mono
		start 1000000000
		allocs_on 1000000000
		allocs_off 1100000000000
		end 1100000000000
		closed yes
		symbol ffffffff81000000 T _stext
		symbol ffffffff81010000 T alloc_it
		symbol ffffffff81f00000 T _etext
		comm 42 before
		2000000000 1 task_rename pid=42 oldcomm=before comm=after
	END
	awk 'BEGIN { for (s = 1000; s < 1100; s++) printf "%d000000000 0 kmalloc call_site=alloc_it+0x40 ptr=0xffff8880%08x bytes_req=100 bytes_alloc=128 gfp=0xcc0 pid=42\n", s, s * 4096 }'
} | "$MKTAPE" - -o made.tape || exit 1
jq '.incompat = ["segments"] | .ring = {max_bytes: 16777216, dropped_ns: 1000000000000, began_ns: 0}' made.tape/manifest.json >manifest.json
cp manifest.json made.tape/manifest.json
"$KMEMTAPE" replay --format json --by comm made.tape >report || fail "replay: exit $?"
jq -e '.notes | any(startswith("the newest "))' report >/dev/null || fail "not a ring: $(jq -c .notes report)"
jq -e '.history.start_ns == 1000000000000' report >/dev/null || fail "the history begins elsewhere: $(jq -c .history report)"
jq -e '[.. | objects | .comm? | strings] == ["after"]' report >/dev/null || fail "the task's name is lost: $(jq -c '[.. | objects | .comm?]' report)"
exit $failed
