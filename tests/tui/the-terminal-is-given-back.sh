#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Whatever ends the screen, or interrupts it: the terminal is as it was before. And it is drawn from within the sandbox.
. "$(dirname "$0")/lib.sh"
make_script '' >script
"$MKTAPE" script -o tape || exit 1
start 80 24

# Usage: pid_of_screen: of the one that was started last; it has said so in $WORK/pid
pid_of_screen() {
	cat pid
}
watched() { # ARG...
	run "clear; sh -c 'echo \$\$ >pid; exec $KMEMTAPE replay --tui $*'; echo code \$?"
	expect 'CALL SITE'
}

watched tape
pid=$(pid_of_screen)
if "$KMEMTAPE" --version | grep -q '^sandbox: .*, seccomp'; then
	grep -q '^Seccomp:.*2' "/proc/$pid/status" || fail "it is in no sandbox"
fi
press q
expect '^code 0'
left q

watched --exit-code tape
press Q
expect '^code 3'
left Q

for signal in TERM INT HUP QUIT; do
	watched tape
	kill -$signal "$(pid_of_screen)"
	case $signal in
	TERM) expect '^code 143' ;;
	HUP) expect '^code 129' ;;
	QUIT) expect '^code 131' ;;
	INT) expect '^shell>' ;; # and the shell drops the rest of the line
	esac
	left $signal
done

watched tape
press C-c
expect '^shell>'
left 'Ctrl-C'

# Stopped, the shell has its terminal; back again, all is there, and it goes on.
watched tape
press C-z
expect 'Stopped'
left 'Ctrl-Z'
run 'clear; fg'
expect '^LEAK LIKELY' 'CALL SITE'
press /
type_ kept
expect '^ /kept_'
press Escape q
expect '^shell>'
left 'q after fg'

# Its terminal is gone for good.
watched tape
pid=$(pid_of_screen)
tmux_ kill-server
for ((i = 0; i < 600; i++)); do
	kill -0 "$pid" 2>/dev/null || break
	sleep 0.05
done
kill -0 "$pid" 2>/dev/null && fail "it goes on without a terminal"
start 80 24

# And when there is nothing to be read.
run "clear; $KMEMTAPE replay --tui missing.tape; echo code \$?"
expect '^code 1' 'missing.tape'
left 'no tape'
cp -r tape bad && rm bad/events/header_page
run "clear; $KMEMTAPE replay --tui bad; echo code \$?"
expect '^code 1' 'header_page'
left 'a bad tape'
exit $failed
