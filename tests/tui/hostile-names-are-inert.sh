#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What a terminal would heed never gets there from a tape: looked at are the bytes that the program writes.
. "$(dirname "$0")/lib.sh"
# A title, a colour, a bell, DEL, CSI of C1, a mark from right to left, what is no UTF-8; and a wide character.
make_script $'\e]2;owned\a\e[35m\a\x7f\xc2\x9b1m\xe2\x80\xae\xff漢' >script
"$MKTAPE" script -o tape || exit 1
run_all() {
	look
	press j k s s s Enter
	expect 'live bytes, over'
	expect 'call site 0x'
	press G
	expect ' end'
	press q
	for key in 2 3 4 5 6 7 8 9 +; do
		press $key
		gone 'reading the tape'
	done
	expect 'open_two'
	press v
	expect 'allocated: freed'
	press G
	expect ' end'
	press Q
	expect '^shell>'
}

start 100 30
run 'export NO_COLOR=1'
title=$(tmux_ display -p '#{pane_title}')
tmux_ pipe-pane -o "cat >$WORK/bytes"
run_all
tmux_ pipe-pane
[ "$(tmux_ display -p '#{pane_title}')" = "$title" ] || fail "the title of the terminal is $(tmux_ display -p '#{pane_title}')"
left 'hostile names'
grep -q 'leaky\\x1b\]2;owned\\x07' bytes || fail "the test has no hostile name"
grep -q 漢 bytes || fail "the test has no wide character"
for raw in $'\e]2;' $'\e[35m' $'\x7f' $'\xc2\x9b' $'\xe2\x80\xae' $'\xff'; do
	LC_ALL=C grep -qF "$raw" bytes && fail "$(printf %q "$raw") is written raw"
done
# The same where nothing but ASCII can be shown.
start 100 30
run 'export LC_ALL=C NO_COLOR=1'
tmux_ pipe-pane -o "cat >$WORK/bytes"
run_all
tmux_ pipe-pane
LC_ALL=C grep -q 'leaky\\x1b' bytes || fail "C locale: the test has no hostile name"
LC_ALL=C grep -q '[^ -~[:cntrl:]]' bytes && fail "C locale: more than ASCII is written"
exit $failed
