#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Every command that reads what others have written does so in a sandbox: shown on the real processes, while they wait for
# somebody who reads what they print. What the sandbox denies is shown by tests/unit/sandbox.c.
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
"$KMEMTAPE" --version | grep -q '^sandbox: .*, seccomp' || {
	echo "no seccomp here: $("$KMEMTAPE" --version)"
	exit 77
}
tape=$KMT_TESTS/frozen/format-1.tape
dat=$KMT_TESTS/frozen/trace-v6.dat
failed=0

fail() {
	echo "$*"
	failed=1
}

# Usage: descendants PID: those, too, that a process has started.
descendants() {
	local child
	for child in $(cat "/proc/$1/task/$1/children"); do
		echo "$child"
		descendants "$child"
	done
}

# Usage: is_confined PID: Seccomp by a filter, and nothing that root could do more than read files.
is_confined() {
	awk '/^Seccomp:/ && $2 == 2 { nr++ } /^NoNewPrivs:/ && $2 == 1 { nr++ }
		/^CapEff:/ && $2 ~ /^000000000000000[0246]$/ { nr++ } END { exit nr != 3 }' "/proc/$1/status"
}

# Usage: check PROCESSES ARG...: of the processes that 'kmemtape ARG...' consists of, all but those that only wait for
# another one are in a sandbox, and so many there are.
check() {
	local wanted=$1 pid i processes nr=0
	shift
	mkfifo pipe
	exec 3<>pipe
	head -c 65536 /dev/zero >&3 # full: what writes, waits
	"$KMEMTAPE" "$@" >&3 2>err &
	pid=$!
	for ((i = 0; i < 1200; i++)); do
		processes="$pid $(descendants $pid)"
		grep -lq pipe_write $(printf '/proc/%s/wchan ' $processes) 2>/dev/null && break
		grep -q pipe_w <(cat $(printf '/proc/%s/stack ' $processes) 2>/dev/null) && break
		kill -0 $pid 2>/dev/null || break
		sleep 0.05
	done
	processes="$pid $(descendants $pid)" # one more may have come while we looked
	for i in $processes; do
		is_confined "$i" && nr=$((nr + 1))
	done
	[ $nr -eq "$wanted" ] || fail "$*: $nr of $(wc -w <<<"$processes") processes are in a sandbox, not $wanted: $(cat err
		for i in $processes; do grep -E '^(Pid|State|Seccomp|NoNewPrivs|CapEff)' "/proc/$i/status"; cat "/proc/$i/wchan"; done 2>&1)"
	exec 3<&-
	for i in $processes; do
		kill -KILL "$i" 2>/dev/null
	done
	wait $pid 2>/dev/null
	rm -f pipe
}

check 1 replay "$tape"
check 1 replay --format json "$tape"
check 1 replay --threads 2 "$tape"
check 1 replay "$dat"
check 1 info "$tape"
check 1 info --format json "$dat"
check 1 verify "$tape"
check 1 pack -o - "$tape"
"$KMEMTAPE" replay --lines "$tape" 2>&1 | grep -q "without 'lines'" || check 2 replay --lines --format json "$tape"

# The others print nothing. And of landlock, a process' status tells nothing.
strace -o /dev/null true 2>/dev/null || exit $failed
export ASAN_OPTIONS=detect_leaks=0 # cannot be had with strace
for command in "replay $tape" "replay $dat" "info $tape" "verify $tape" "pack -o x.tar $tape" "export -o x.dat $tape" \
	"import -o x.tape $dat" "recover -o y.tape $tape"; do
	# shellcheck disable=SC2086
	strace -f -o trace "$KMEMTAPE" $command >/dev/null 2>&1 || fail "$command: exit $?"
	grep -q 'seccomp(SECCOMP_SET_MODE_FILTER.*= 0' trace || fail "$command: no seccomp filter"
	"$KMEMTAPE" --version | grep -q 'no landlock' || grep -q 'landlock_restrict_self(.*= 0' trace || fail "$command: no landlock"
	# The same before and after: nothing of the tape was opened before.
	sed '/landlock_restrict_self(.*= 0/,$d' trace | grep -E 'cpu/[0-9]|manifest|kallsyms|events/' && fail "$command: read before"
done
exit $failed
