#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# With DEBUGINFOD_URLS, replay --lines has its debug information from there, and waits for no server that is silent.
command -v debuginfod >/dev/null || {
	echo "no debuginfod here"
	exit 77
}
# In a network of its own where that can be had: debuginfod listens on all addresses.
if [ -z "${IN_OWN_NETWORK-}" ] && unshare -rn sh -c 'ip link set lo up' 2>/dev/null; then
	IN_OWN_NETWORK=yes exec unshare -rn sh -c 'ip link set lo up && exec bash "$0"' "$0"
fi
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lines-lib.sh"

answers() { exec 3<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null

# Usage: serve DIR: starts a server at a free port, and waits until it has read the directory.
serve() {
	local try i
	for try in 1 2 3 4 5; do
		port=$((20000 + RANDOM % 20000))
		(answers) && continue # somebody else's
		debuginfod -d "$dir/db.$try" -p $port -F "$1" >server.log 2>&1 &
		server=$!
		for ((i = 0; i < 900; i++)); do
			kill -0 $server 2>/dev/null || break
			! grep -q 'thread_work_total{role="groom"} 1' <(metrics) || return 0
			sleep 0.1
		done
		kill $server 2>/dev/null
		server=
	done
	fail "debuginfod doesn't come up: $(tail -n 3 server.log)"
	exit 1
}

metrics() {
	(answers && printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3 && timeout 5 cat <&3) 2>/dev/null
}

serve "$dir/dbg"
compare "without DEBUGINFOD_URLS" "$(sites --lines)" "$(sed 's/ .*/ -/' <<<"$WANTED")"
grep -q 'buildid/' server.log && fail "the server was asked: $(grep buildid/ server.log)"
grep -q 'DEBUGINFOD_URLS is not set' json || fail "the note doesn't say what could be done: $(jq -c .notes json)"

export DEBUGINFOD_URLS=http://127.0.0.1:$port
compare "with DEBUGINFOD_URLS" "$(sites --lines)" "$WANTED"
grep -q "buildid/$KERNEL_ID/debuginfo" server.log || fail "the kernel's was not asked for: $(cat server.log)"
grep -q "buildid/$MODULE_ID/debuginfo" server.log || fail "the module's was not asked for: $(cat server.log)"

# What is here is not asked for, and without --lines nothing is.
cp server.log before.log
rm -rf cache
compare "with both" "$(sites --debuginfo dbg)" "$WANTED"
compare "without --lines" "$(sites)" "$(sed 's/ .*/ -/' <<<"$WANTED")"
diff <(grep -c buildid/ before.log) <(grep -c buildid/ server.log) || fail "the server was asked in vain"

# One that takes the call and says nothing: of the two files, one is waited for.
kill -STOP $server
export DEBUGINFOD_TIMEOUT=2
SECONDS=0
compare "a silent server" "$(sites --lines)" "$(sed 's/ .*/ -/' <<<"$WANTED")"
[ $SECONDS -lt 60 ] || fail "a silent server was waited for: $SECONDS s"
grep -q 'debuginfod did not answer for 2 s' json || fail "no note of the silence: $(jq -c .notes json)"
exit $failed
