#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Nobody has to wait until a tape is read, or a trace.dat made a tape of: it says how far it is, and any way to quit does
# so at once, leaving nothing behind. From a disk that gives no more than half of a file until told.
. "$(dirname "$0")/lib.sh"
trap 'touch "$WORK/go"; tmux_ kill-server 2>/dev/null; umount -l "$WORK/mount" 2>/dev/null; rm -rf "$WORK"' EXIT
if [ ! -x "${HELDFS:-}" ] || [ ! -c /dev/fuse ] || [ "$(id -u)" != 0 ]; then
	echo "needs libfuse3-dev, /dev/fuse, and root to mount"
	exit 77
fi
mkdir slow mount tmp
"$BIGTAPE" --live 2K --events 200K --cpus 1 slow/big.tape || fail "bigtape: exit status $?"
"$KMEMTAPE" export -q -o slow/big.dat slow/big.tape || fail "export: exit status $?"
"$HELDFS" slow mount '@(*/cpu/*.zst|*.dat)' "$WORK/go" || fail "heldfs: exit status $?"
start 80 24
run "export TMPDIR=$WORK/tmp"

# Usage: reading WHAT: it is being read, and has come as far as it can
reading() {
	run "clear; sh -c 'echo \$\$ >pid; exec $KMEMTAPE replay --exit-code --tui mount/$1'; echo code \$?"
	expect "reading mount/$1" '^ [2-5][0-9] %  .*q: quit'
}
for what in big.tape big.dat; do
	for key in q Q; do
		reading $what
		press $key
		expect '^code 0'
		left "$key while $what is read"
	done
	reading $what
	press C-c
	expect '^shell>'
	left "Ctrl-C while $what is read"
	reading $what
	kill -TERM "$(cat pid)"
	expect '^code 143'
	left "SIGTERM while $what is read"
	[ -z "$(ls tmp)" ] || fail "$what: left behind: $(ls tmp)"
done

# Stopped and back, and of another size then; when the disk goes on, so does it.
reading big.dat
press C-z
expect 'Stopped'
left 'Ctrl-Z while it is read'
resize 100 30
run 'clear; fg' # and what was there is not taken for what comes
expect 'reading mount/big.dat'
# What is typed now is for what comes: it filters there, and Q is no end.
press 2
type_ '/Q'
touch go
expect ' CACHE$' '^ /Q_'
press Escape 1
expect 'CALL SITE'
resize 80 24 # which is among the modes
press q
expect '^shell>'
left 'q at last'
[ -z "$(ls tmp)" ] || fail "left behind: $(ls tmp)"
exit $failed
