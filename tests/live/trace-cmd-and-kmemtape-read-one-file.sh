#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A trace.dat that trace-cmd records now, on this kernel: trace-cmd and kmemtape read the same events from it. Whatever
# else runs here, and whatever is lost: it is one and the same file.
. "$(dirname "$0")/lib.sh"
. "$KMT_TESTS/cli/trace-dat-lib.sh"

command -v trace-cmd >/dev/null || skip "needs trace-cmd"
cd "$WORK" || exit 99

make_trace_cmd_record

# check NAME OPTION...: of trace-cmd record
check()
{
	name=$1
	shift
	timeout 60 unshare -m bash ./trace-cmd-record -o "$name.dat" "$@" \
		-e kmem:kmalloc -e kmem:kfree -e kmem:kmem_cache_alloc -e kmem:kmem_cache_free \
		"$HELPERS/hold" --pipes 50 --close-after 1 --for 20 >said 2>&1
	[ -s "$name.dat" ] || skip "trace-cmd can't record here: $(tail -n 1 said)"
	if [ -z "$(their_events "$name.dat")" ]; then
		echo "$name: trace-cmd recorded nothing"
		return
	fi
	"$KMEMTAPE" import -o "$name.tape" "$name.dat" || fail "$name: import: exit $?"
	same_events "$name.dat" "$name.tape" 200 || fail "$name: trace-cmd and kmemtape read other events"
	"$KMEMTAPE" replay --format json "$name.dat" >json || fail "$name: replay: exit $?"
	[ "$(jq '.events.by_name | add' json)" -eq "$(wc -l <ours)" ] || fail "$name: replay has other numbers: $(jq -c .events json)"
	# trace-cmd may miss marks at the beginning of a page, but not the other way round.
	dropped=$(trace-cmd report -i "$name.dat" 2>/dev/null | grep -c 'EVENTS DROPPED')
	[ "$(jq .events.losses json)" -ge "$dropped" ] || fail "$name: trace-cmd sees $dropped losses, kmemtape $(jq .events.losses json)"
	echo "$name: $(wc -l <ours) events, $dropped losses"
}

check plain -C mono -b 4000
check version-6 --file-version 6 -b 4000
check stacks -C mono -b 16000 -T
check lossy -C mono -b 8 -s 50000
[ -s json ] || fail "trace-cmd never recorded anything"
exit 0
