#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Each fault says what happens and what is promised, and is run. tests/faults/check.sh NAME...: the list in meson.build
set -u
here=$(cd "$(dirname "$0")" && pwd)

status=0
fail()
{
	echo "FAIL: $*" >&2
	status=1
}

for script in "$here"/*.sh; do
	name=$(basename "$script" .sh)
	case $name in check | disk | lib | run | table) continue ;; esac
	[[ " $* " == *" $name "* ]] || fail "$name: not in meson.build"
	for header in Fault Promise; do
		[ "$(grep -c "^# $header: [^|]*$" "$script")" = 1 ] || fail "$name: not one line '# $header: ...', without a |"
	done
done
for name in "$@"; do
	[ -e "$here/$name.sh" ] || fail "$name: in meson.build only"
done
exit $status
