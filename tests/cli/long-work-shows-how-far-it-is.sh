#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What takes longer than a second says on a terminal how far it is, in one line that is gone before the report, or when a
# signal ends it; with -q, and where stderr is no terminal, or a dumb one, it says nothing. All at once, from a disk that gives no more
# than half of a file until told: so it is long work on any machine, and over when there is nothing left to see.
set -u
WORK=$(mktemp -d)
trap 'touch "$WORK/go"; umount -l "$WORK/mount" 2>/dev/null; wait; rm -rf "$WORK"' EXIT

fail()
{
	echo "FAIL: $*"
	exit 1
}

skip()
{
	echo "$*"
	exit 77
}

# until_true COMMAND...: or it fails, after much longer than it should take
until_true()
{
	local i

	for ((i = 0; i < 3000; i++)); do
		"$@" && return 0
		sleep 0.02
	done
	fail "it doesn't come: $*: $(cat -v "${!#}" "${!#}.screen" 2>/dev/null | tail -c 200)"
}

# start NAME ARGUMENTS [BEFORE]: of kmemtape, with a terminal for stderr, where the shell does BEFORE; what that showed is
# in $WORK/NAME.screen
start()
{
	names+=("$1")
	(
		TERM=vt100 script -qefc "echo \$\$ >'$1.pid'; ${3-:}; exec '$KMEMTAPE' $2" "$WORK/$1.screen" </dev/null >"$WORK/$1.script" 2>&1
		echo $? >"$WORK/$1.status"
	) &
}

# lines NAME: what was on its screen, one for each time that a line began anew
lines()
{
	tr '\r' '\n' <"$WORK/$1.screen" | grep -avE '^($|Script (started|done))'
}

# is_mute NAME: it should show none
is_mute()
{
	[ "$1" = quiet ] || [ "$1" = dumb ]
}

# has_come NAME: it has shown its line more than once, and is on its way
has_come()
{
	[ -e "$1.screen" ] && lines "$1" >seen && [ "$(grep -c ' %  ' seen)" -ge 2 ] && [ "$(percent)" -ge 10 ]
}

# percent: the last one of those in the file seen
percent()
{
	sed -n 's/^kmemtape [a-z]*: \([0-9]*\) %.*/\1/p' seen | tail -n 1
}

command -v script >/dev/null || skip "needs script of util-linux"
[ -x "${HELDFS:-}" ] || skip "needs libfuse3-dev"
[ "$(id -u)" = 0 ] || skip "needs root, to mount"
[ -c /dev/fuse ] || skip "needs /dev/fuse"
cd "$WORK" && mkdir slow mount out || exit 1
"$BIGTAPE" --live 2K --events 400K --cpus 1 slow/a.tape || fail "bigtape: exit status $?"
"$KMEMTAPE" export -q -o slow/a.dat slow/a.tape || fail "export: exit status $?"
"$HELDFS" slow mount '@(*/cpu/*.zst|*.dat)' "$WORK/go" || fail "heldfs: exit status $?"
touch go
"$KMEMTAPE" replay mount/a.tape >report || fail "replay: exit status $?"
"$KMEMTAPE" replay --format json mount/a.tape >report.json || fail "replay: exit status $?"
rm go

names=()
start quiet "replay -q mount/a.tape >quiet"
start dumb "replay mount/a.tape >dumb" "export TERM=dumb"
start narrow "verify mount/a.tape >narrow" "stty columns 30 <&2"
("$KMEMTAPE" replay mount/a.tape >piped 2>piped.err; echo $? >piped.status) &
start replay "replay mount/a.tape >replayed"
start alone "replay --threads 0 mount/a.tape >alone"
start dat "replay mount/a.dat >from-dat"
start diff "diff mount/a.tape report.json >diffed"
start merge "merge mount/a.tape >merged"
start verify "verify mount/a.tape >verified"
start recover "recover -o out/recovered mount/a.tape >recovered"
start import "import -o out/imported mount/a.dat"
start export "export -o out/exported mount/a.tape"
start pack "pack -o out/packed mount/a.tape"
start range "pack --range 0s.. -o out/ranged mount/a.tape"
start redact "pack --redact -o out/redacted mount/a.tape"
start distill "pack --distill -o out/distilled mount/a.tape"
start small "pack --small -o out/small mount/a.tape"
start ended "verify mount/a.tape >ended"
start ended-late "export -o out/ended-late mount/a.tape"
for name in "${names[@]}"; do
	is_mute "$name" || until_true has_come "$name"
done
for name in ended ended-late; do
	kill -TERM "$(cat $name.pid)" || fail "$name: isn't there"
	until_true test -s "$name.status"
	[ "$(cat $name.status)" = 143 ] || fail "$name: exit status $(cat $name.status)"
done
for name in "${names[@]}"; do
	lines "$name" >seen
	is_mute "$name" || [ "$(percent)" -le 60 ] || fail "$name: $(percent) % of a half, and what is read twice"
done
touch go
wait

for name in "${names[@]}"; do
	[[ $name == ended* ]] || [ "$(cat "$name.status")" = 0 ] || fail "$name: exit status $(cat "$name.status"): $(lines "$name")"
	lines "$name" >seen
	! is_mute "$name" || [ ! -s seen ] || fail "$name: $(cat seen)"
	! is_mute "$name" || continue
	[ "$name" != narrow ] || ! sed 's/\x1b\[K$//' seen | grep -E '.{30}' || fail "$name: too wide"
	[ "$name" = narrow ] || grep -qE "^kmemtape [a-z]+: [0-9]+ %  [0-9.]+ ([MK]iB|B|[MKk]? ?events)/s  [0-9]+ s left.\[K$" seen ||
		fail "$name shows no status line: $(head -n 5 seen)"
	# After the last time the line is erased, and nothing but a message comes.
	awk '/ %  / { stands = 1 } /^\033\[K/ { stands = 0 } END { exit stands }' seen ||
		fail "$name: the line stays: $(tail -n 2 seen | cat -v)"
	# A pack has several steps; a trace.dat is made a tape of, which is read then.
	sed -n 's/^kmemtape [a-z]*: \([0-9]*\) %.*/\1/p' seen >percents
	sort -nc percents || [ "$name" = dat ] || grep -q "^kmemtape pack" seen || fail "$name goes back: $(paste -sd ' ' percents)"
done
cmp report replayed && cmp report alone && cmp report quiet && cmp report dumb && cmp report piped || fail "the report is another one"
[ "$(cat piped.status)" = 0 ] && [ ! -s piped.err ] || fail "no terminal, and yet: $(cat piped.err)"
exit 0
