#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What takes longer than a second says on a terminal how far it is, in one line that is gone before the report; with -q,
# and where stderr is no terminal, it says nothing.
set -u
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

fail()
{
	echo "FAIL: $*"
	exit 1
}

command -v script >/dev/null || {
	echo "needs script of util-linux"
	exit 77
}

# on_terminal COMMAND: its stderr is one; what it showed is in $WORK/screen, a line for each time it began anew
on_terminal()
{
	TERM=vt100 script -qec "$1" "$WORK/typescript" </dev/null >"$WORK/typescript.out" || fail "$1: exit status $?"
	sed '1{/^Script started/d}; ${/^Script done/d}' "$WORK/typescript" | tr '\r' '\n' | sed '/^$/d' >"$WORK/screen"
}

# Of a tape that is long enough for this machine.
for events in 1M 4M 16M 64M; do
	rm -rf "$WORK/tape"
	"$BIGTAPE" --live 20K --events $events "$WORK/tape" || fail "bigtape: exit status $?"
	on_terminal "'$KMEMTAPE' replay --threads 0 '$WORK/tape' >'$WORK/report'"
	[ "$(grep -c ' %' "$WORK/screen")" -lt 3 ] || break
done
for command in replay verify recover pack; do
	case $command in
	replay) arguments="--threads 1 '$WORK/tape' >'$WORK/shown'" ;;
	verify) arguments="'$WORK/tape' >'$WORK/shown'" ;;
	recover) arguments="-o '$WORK/recovered' '$WORK/tape' >'$WORK/shown'" ;;
	pack) arguments="--range 0s.. -o '$WORK/ranged' '$WORK/tape'" ;;
	esac
	on_terminal "'$KMEMTAPE' $command $arguments"
	grep -qE "^kmemtape $command: [0-9]+ %  [0-9.]+ ([MK]iB/s|[MKk]? ?events/s)(  [0-9]+ s left)?.\[K$" "$WORK/screen" ||
		fail "$command shows no status line: $(head -5 "$WORK/screen")"
	sed -n 's/^[^%]*: \([0-9]*\) %.*/\1/p' "$WORK/screen" >"$WORK/percents"
	sort -nc "$WORK/percents" || [ $command = pack ] || fail "$command goes back: $(paste -sd ' ' "$WORK/percents")"
	# After the last time the line was erased, and nothing but a message came.
	tail -n 2 "$WORK/screen" | grep -qE '^.\[K' || fail "$command: the line stays: $(tail -n 2 "$WORK/screen" | cat -v)"
done
cmp "$WORK/report" <("$KMEMTAPE" replay --threads 0 "$WORK/tape" 2>"$WORK/err") || fail "the report is another one"
[ ! -s "$WORK/err" ] || fail "no terminal, and yet: $(cat "$WORK/err")"
on_terminal "'$KMEMTAPE' replay -q --threads 0 '$WORK/tape' >'$WORK/shown'"
[ ! -s "$WORK/screen" ] || fail "-q: $(cat "$WORK/screen")"
exit 0
