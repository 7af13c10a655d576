# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # sourced by tools/bench
#
# What has to be put back at the end.

tracefs=
tracefs_mounted=
instance=bench-$$
instances_before=

remove_instance()
{
	[ -d "$tracefs/instances/$1" ] || return 0
	echo 0 >"$tracefs/instances/$1/events/enable"
	rmdir "$tracefs/instances/$1"
}

clean_up()
{
	local status=$? name

	trap '' INT TERM HUP
	if [ -n "$tracefs" ]; then
		remove_instance "$instance"
		# A kmemtape that was killed leaves its instance to the next one: there may be none.
		for name in "$tracefs"/instances/kmemtape-*; do
			name=${name##*/}
			[[ $name =~ ^kmemtape-[0-9]+$ ]] && [ ! -d "/proc/${name#kmemtape-}" ] &&
				! grep -qx -- "$name" <<<"$instances_before" && remove_instance "$name"
		done
		[ -z "$tracefs_mounted" ] || umount "$tracefs"
	fi
	unmount_curves
	[ -z "$work" ] || rm -rf -- "$work"
	exit "$status"
}
