#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Small terminals, those that change their size, that have no colours or no UTF-8; and what is none is told in a line.
. "$(dirname "$0")/lib.sh"
make_script '' >script
"$MKTAPE" script -o tape || exit 1

start 80 24
look
resize 40 10
expect '^ +LIVE CLASS v +CALL SITE$' '^LEAK LIKELY: leaky\+0x20 \[foo\] \(out of tr$' '^ 1/2'
press Enter
expect '^detail' 'leaky\+0x20/0x1000 \[foo\]'
press G
expect ' end'
press g
resize 80 24
expect '  0 \|.{50,}█'
resize 40 10
expect '^[^|]*\|.{20,}█'
press '?'
expect '^Up Down k j +one line up,'
press q q t
expect '▸ leaky'
resize 160 50
expect 'OBJECTS +SHARE' 'leaky\+0x20/0x1000 \[foo\] \(out of tree\)'
press 1
expect 'OBJECTS.*OLDEST +FREED' ' foo_cache +leaky'
resize 10 3
press Down Up Enter q Tab BTab t j l h
resize 80 24
expect 'MODULE, CACHE, CALL SITE'
press Q
expect '^shell>'
left 'many sizes'

# Colours, or none: by NO_COLOR, or because there are none.
start 80 24 screen-256color
look
tmux_ capture-pane -p -e | grep -q $'\e\[.*31m.*LEAK LIKELY' || fail "the verdict is not red"
press Q
expect '^shell>'
run 'export NO_COLOR=1'
look
tmux_ capture-pane -p -e | grep -E $'\e\[[0-9;]*[34][0-8]m' && fail "NO_COLOR: colours"
tmux_ capture-pane -p -e | grep -q $'\e\[7m' || fail "NO_COLOR: the chosen row doesn't show"
press Q
expect '^shell>'
start 80 24 vt100
look
expect '^LEAK LIKELY'
tmux_ capture-pane -p -e | grep -E $'\e\[[0-9;]*[34][0-8]m' && fail "vt100: colours"
press Q
expect '^shell>'
left vt100

# Without UTF-8, curves and the tree are ASCII.
start 80 24
run 'export LC_ALL=C'
look
expect ' _[.:=+*#-]+ .*leaky'
press t
expect '  \+ leaky'
press Enter
expect '\|.*[.:#][.:#]'
press Q
expect '^shell>'
left 'C locale'

# What is no terminal, or one that can't do it.
run "clear; export TERM=dumb; $KMEMTAPE replay --tui tape; echo code \$?"
expect 'TERM=dumb: this terminal cannot move its cursor' '^code 1'
run "clear; export TERM=nonsense; $KMEMTAPE replay --tui tape; echo code \$?"
expect 'TERM=nonsense: this terminal is unknown here' '^code 1'
left dumb
"$KMEMTAPE" replay --tui tape >out 2>err
[ $? = 2 ] && [ ! -s out ] && [ "$(cat err)" = "kmemtape replay: --tui: standard output is not a terminal: leave --tui away for the report as text" ] ||
	fail "in a pipe: $(cat out err)"
run "clear; export TERM=screen; $KMEMTAPE replay --tui tape </dev/null; echo code \$?"
expect 'standard input is not a terminal' '^code 2'
for other in '--format json' '-o x' '--explain leaky' '--interval 1s'; do
	# shellcheck disable=SC2086
	"$KMEMTAPE" replay --tui $other tape >out 2>err
	[ $? = 2 ] && [ ! -s out ] && grep -qE -- "--tui is a screen: ${other%% *} is for what is printed" err || fail "$other: $(cat out err)"
done
exit $failed
