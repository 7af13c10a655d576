#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: Under sudo, the user's directory has links to files of root's, or they come while recording.
# Promise: Only what the user may write is written; what is in the way is told, exit 1. tracefs as before.
. "$(dirname "$0")/lib.sh"

export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 # of a process whose user has changed, none are found
as_nobody=(timeout 60 env SUDO_UID=65534 SUDO_GID=65533)
chmod 755 "$WORK"
install -d -o 65534 "$WORK/nobody"
install -d "$WORK/root" "$WORK/root/empty" "$WORK/root/cpu"
echo untouched >"$WORK/root/file"
install -d -o 65532 -m 777 "$WORK/others"
tracefs_state >"$WORK/before"

root_state() { ls -lnR --time-style=full-iso "$WORK/root" && cat "$WORK/root/file"; }
root_state >"$WORK/root.before"

# refuse TEXT PATH: exit 1, one line, and nothing of root's was written
refuse()
{
	"${as_nobody[@]}" "$KMEMTAPE" record -q -d 100ms --settle 0 -o "$2" 2>"$WORK/log"
	status=$?
	[ $status = 1 ] || fail "$2: exit status $status: $(cat "$WORK/log")"
	expect_line "$WORK/log" "$1"
	root_state | diff "$WORK/root.before" - || fail "$2: it wrote to what is root's"
	tracefs_state | diff "$WORK/before" - || fail "$2: tracefs differs"
}

refuse "Permission denied, as user nobody; --user root records as root" "$WORK/root/a.tape"
refuse "belongs to somebody else" "$WORK/root/empty"
refuse "belongs to somebody else" "$WORK/others"
ln -s "$WORK/root" "$WORK/nobody/parent"
refuse "Permission denied" "$WORK/nobody/parent/a.tape"
ln -s "$WORK/root/empty" "$WORK/nobody/tape"
refuse "Not a directory" "$WORK/nobody/tape"
ln -s "$WORK/root/new" "$WORK/nobody/dangling"
refuse "Not a directory" "$WORK/nobody/dangling"

# While it records, links come into the way of all that is still to be made. Root's directories are named alike.
tape=$WORK/nobody/b.tape
env SUDO_UID=65534 SUDO_GID=65533 env --default-signal=HUP "$KMEMTAPE" record -q -o "$tape" --settle 0 2>"$WORK/log" &
RECORDER=$!
until_true 20 is_recording $RECORDER || fail "it doesn't start: $(cat "$WORK/log")"
until_true 20 test -s "$tape/manifest.json" || fail "there is no manifest"
ln -sf "$WORK/root/file" "$tape/manifest.json.part"
mv "$tape" "$tape.moved"
ln -s "$WORK/root" "$tape"
end_recorder INT
root_state | diff "$WORK/root.before" - || fail "while recording: it wrote to what is root's"
tracefs_state | diff "$WORK/before" - || fail "while recording: tracefs differs"
case $STATUS in
0) is_closed "$tape.moved" || fail "while recording: the tape isn't closed" ;;
*) grep -q "^kmemtape record: .*" "$WORK/log" || fail "while recording: exit status $STATUS, and nothing is said" ;;
esac

# Root itself isn't led by a directory that is another's either.
"$KMEMTAPE" record -q -d 100ms --settle 0 -o "$WORK/others" 2>"$WORK/log"
[ $? = 1 ] || fail "root: it used a directory of somebody else: $(cat "$WORK/log")"
expect_line "$WORK/log" "belongs to somebody else"
"${as_nobody[@]}" "$KMEMTAPE" record -q -d 100ms --settle 0 --user root -o "$WORK/root/a.tape" ||
	fail "--user root: exit status $?"
[ "$(stat -c %u "$WORK/root/a.tape")" = 0 ] || fail "--user root: the tape isn't root's"
