#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The screen says what leaks; it moves, sorts, filters, opens a site with all that --explain tells, folds the tree, helps.
. "$(dirname "$0")/lib.sh"
make_script '' >script
"$MKTAPE" script -o tape || exit 1
start 80 24

# The first screen: what leaks, since when, how sure.
look
expect '^LEAK LIKELY: leaky\+0x20 \[foo\] \(out of tree\)' '^confidence 0\.9[0-9]   since 2[0-9]\.[0-9] s after the start' \
	'^kernel memory \+460 KiB, .* explained: SUnreclaim \+460 KiB' 'leak +0\.9[0-9] leaky\+0x20/0x1000 \[foo\]' '▁.*█' \
	'^why: .*ever freed' '^ 1/2 by suspicion'
[ "$(screen | wc -L)" -le 80 ] || fail "wider than the terminal"

# Moves and sorts.
press Down
expect '^kept\+0x40/0x10000' '^ 2/2'
press k
expect '^ 1/2'
press G
expect '^ 2/2'
press Home
expect '^ 1/2'
press s
expect 'LIVE v' 'by live bytes'
press r
expect 'LIVE \^' '^ 1/2 by live bytes, reversed' '^kept'
press a
expect '^ 2/3'
press S
expect 'CLASS v' '^ 1/3 by suspicion' '^leaky'

# Filters as it is typed.
press /
expect '^ /_'
type_ 'PASS'
expect '^ /PASS_' 'passing\+0x40' '^ +0 B'
gone '(leaky|kept)\+.*\+0x[0-9a-f]+/'
press BSpace BSpace BSpace BSpace
type_ 'foo_cache'
expect '^leaky'
press Enter
expect '^ 1/1 by suspicion  /foo_cache'
press Escape
expect '^ 1/3'

# A site: what its rows tell at once, then what --explain does.
press Enter
expect 'live bytes, over 100 s' '^detail'
expect 'the oldest 80.0 s' 'why: '
press /
type_ 'FREED BY'
press Enter
expect 'LIFE MIN .* FREED BY' 'close_one\+0x20'
press g
expect '^ 1/'
"$KMEMTAPE" replay --top 0 --explain leaky tape >explained
for words in 'CALLED BY, OUTWARD' 'open_two+0x30' 'GFP_KERNEL' 'eater' 'AGE' 'unreferenced object'; do
	grep -qF "$words" explained || fail "--explain doesn't tell $words"
	press /
	type_ "$words"
	press Enter
	expect "$(sed 's/[+]/[+]/' <<<"$words")"
done
press q
expect 'CALL SITE'

# Views, each as --by has it.
for by in cache module comm pid stack owner; do
	press Tab
	case $by in
	cache) expect '^ +LIVE .* CACHE' 'leak +[0-9.]+ foo_cache' ;;
	module) expect ' MODULE' 'leak +[0-9.]+ foo \(out of tree\)' ;;
	comm) expect ' TASK' '[0-9.]+ eater' ;;
	pid) expect ' PID' '[0-9.]+ eater 42' ;;
	stack) expect ' CALL STACK' '/3 by suspicion' ;;
	owner) expect ' OWNER' 'leaky|open_one' ;;
	esac
done
press Tab
expect 'CALLER, BY VMALLOCINFO' 'no area grew'

# The tree.
press t
expect 'MODULE, CACHE, CALL SITE, CALLED BY' '▾ foo \(out of tree\)' '  ▾ foo_cache' '    ▸ leaky'
press l
expect '    ▾ leaky' 'open_one\+0x30' 'open_two\+0x30'
gone 'do_syscall_64'
press +
expect 'do_syscall_64' 'entry_SYSCALL_64' 'kmalloc-4k'
press -
gone 'foo_cache'
press /
type_ 'open_two'
expect 'open_two' '▾ foo_cache'
press Escape
gone 'foo_cache'
press Space Space
expect '▸ foo \(out of tree\)'

# The report as text, the help, and back to where it was.
press v
expect '^LEAK LIKELY' 'allocated: freed'
press '?'
expect 'this help|one line up, down'
press q
expect 'allocated: freed'
press Escape
expect 'MODULE, CACHE'
press 1
expect 'CALL SITE'
press q
expect '^shell>'
left quit

# Source lines are asked for at each reading.
if ! "$KMEMTAPE" replay --lines tape 2>&1 | grep -q "without 'lines'"; then
	look --lines tape
	press Enter
	expect 'call site 0x'
	press q 3
	expect ' MODULE$'
	press Q
	expect '^shell>'
	left '--lines'
fi
exit $failed
