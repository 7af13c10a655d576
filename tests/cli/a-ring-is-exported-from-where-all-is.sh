#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What a ring has of one CPU alone isn't exported: who reads the trace.dat would miss the frees of the others. Of the
# sub-buffer that reaches beyond, what is left out is a loss.
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0

fail() {
	echo "$*"
	failed=1
}

# event TIME CPU ADDRESS
event() {
	echo "$1 $2 kmalloc call_site=keep+0x10 ptr=0xffff88800000$3 bytes_req=60 bytes_alloc=64 gfp=0xcc0 pid=1"
}

for endian in little big; do
	rm -rf ring.tape imported.tape ring.dat
	{
		printf '%s\n' "kernel 6.18.0" "arch x86_64" "endian $endian" "long 8" "subbuf 4096" "clock mono" \
			"start 1000" "allocs_on 1000" "allocs_off 9000" "end 9000" "closed yes" "symbol ffffffff81000000 T keep"
		event 1100 0 1000
		echo "1900 0 subbuf"
		event 1900 0 2000
		event 2100 0 3000
		echo "2200 0 subbuf"
		event 2200 0 4000
		event 2300 1 5000
	} >script
	"$MKTAPE" script -o ring.tape || exit 1
	jq '.ring = {max_bytes: 16777216, dropped_ns: 2000, began_ns: 0}' ring.tape/manifest.json >with-ring || exit 1
	mv with-ring ring.tape/manifest.json
	[ "$("$KMEMTAPE" replay --format json ring.tape | jq .events.allocs)" = 3 ] || fail "$endian: not from 2000 on"

	"$KMEMTAPE" export -o ring.dat ring.tape || fail "$endian: export: exit status $?"
	"$KMEMTAPE" import -o imported.tape ring.dat || fail "$endian: import: exit status $?"
	"$KMEMTAPE" replay --format json imported.tape >imported.json || fail "$endian: replay: exit status $?"
	jq -e '.events.allocs == 2 and .events.losses == 1 and .tape.start_ns == 2200' imported.json >/dev/null ||
		fail "$endian: $(jq -c '.events, .tape' imported.json)"
done
exit $failed
