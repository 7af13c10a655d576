#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What can't be recorded is said in one line, and leaves neither a tape nor an instance.
. "$(dirname "$0")/lib.sh"

# refuse STATUS TEXT COMMAND...
refuse()
{
	expected=$1 text=$2
	shift 2
	"$@" 2>"$WORK/log" >"$WORK/out"
	status=$?
	[ $status = "$expected" ] || fail "'$*': exit status $status, not $expected: $(cat "$WORK/log")"
	expect_line "$WORK/log" "$text"
	[ ! -s "$WORK/out" ] || fail "'$*': wrote to stdout: $(cat "$WORK/out")"
	[ ! -e "$WORK/no.tape" ] || fail "'$*': left a tape"
	tracefs_state | diff "$WORK/before" - || fail "'$*': tracefs differs"
}

record() { timeout 60 "$KMEMTAPE" record -o "$WORK/no.tape" -d 100ms --settle 0 "$@"; }

tracefs_state >"$WORK/before"
record -q || fail "the same without a mistake: exit status $?"
rm -r "$WORK/no.tape"

mkdir "$WORK/used.tape"
echo mine >"$WORK/used.tape/file"
refuse 1 "exists" "$KMEMTAPE" record -o "$WORK/used.tape" -d 100ms
[ "$(cat "$WORK/used.tape/file")" = mine ] || fail "it touched what was there"
echo mine >"$WORK/file"
refuse 1 "$WORK/file: " "$KMEMTAPE" record -o "$WORK/file" -d 100ms
[ "$(cat "$WORK/file")" = mine ] || fail "it touched what was there"
refuse 1 "/nonexistent/a.tape: No such file" "$KMEMTAPE" record -o /nonexistent/a.tape -d 100ms

refuse 1 "do not fit into the memory" record --buffer 512G
refuse 2 "--buffer" record --buffer 1
refuse 2 "--duration" record -d soon
refuse 2 "--events" record -e everything
refuse 2 "behind '--'" record sleep 1
refuse 2 "there is no command behind '--'" record --

if command -v setpriv >/dev/null && setpriv --reuid 65534 --regid 65534 --clear-groups test -x "$KMEMTAPE"; then
	chmod 777 "$WORK"
	refuse 1 "record as root" setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$KMEMTAPE" record -o "$WORK/no.tape" -d 100ms
	if unshare --mount true 2>/dev/null; then
		refuse 1 "record as root" unshare --mount sh -c "umount -l $TRACEFS && exec setpriv \
			--reuid 65534 --regid 65534 --clear-groups $KMEMTAPE record -o $WORK/no.tape"
	fi
else
	echo "note: nobody can't reach $KMEMTAPE: not tried without root"
fi

# A tracefs with an event missing: an empty directory hides it.
if unshare --mount true 2>/dev/null; then
	mkdir "$WORK/empty"
	refuse 1 "mounted read-only" unshare --mount sh -c "
		mount -o remount,bind,ro $TRACEFS && exec $KMEMTAPE record -o $WORK/no.tape -d 100ms"
fi
