#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Where tracefs isn't mounted, record mounts it, and unmounts it at the end.
. "$(dirname "$0")/lib.sh"

unshare --mount true 2>/dev/null || skip "needs unshare --mount"
unshare --mount sh -c '
	umount -l '"$TRACEFS"' || exit 77
	umount -l /sys/kernel/debug/tracing 2>/dev/null
	grep -q " tracefs " /proc/mounts && exit 77
	"$1" record -q -o "$2" -d 200ms --settle 0 || exit 1
	! grep " tracefs " /proc/mounts' sh "$KMEMTAPE" "$WORK/a.tape"
status=$?
[ $status != 77 ] || skip "tracefs can't be unmounted"
[ $status = 0 ] || fail "not recorded, or tracefs stays mounted"
is_closed "$WORK/a.tape" || fail "the tape isn't closed"
[ -e "$TRACEFS/instances" ] || fail "tracefs is gone outside of the namespace"
ls "$TRACEFS/instances" | grep kmemtape && fail "the instance is still there"
exit 0
