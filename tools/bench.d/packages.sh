# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # sourced by tools/bench
#
# What has to be there: packages, and a program to measure.

install_packages()
{
	$is_root || die "missing: $*; install these as root first"
	command -v apt-get >/dev/null || die "missing: $*; this is no Debian or Ubuntu, install them first"
	say "installing $*"
	apt-get install -y --no-install-recommends "$@" >"$work/apt" 2>&1 && return
	apt-get update >"$work/apt" 2>&1
	apt-get install -y --no-install-recommends "$@" >"$work/apt" 2>&1
}

# need COMMAND PACKAGE: adds to $missing
need()
{
	command -v "$1" >/dev/null || missing+=("$2")
}

# These may be missing: then it goes on without them.
optional()
{
	command -v "$1" >/dev/null || ! $is_root || install_packages "$2" ||
		say "can't install $2: $(grep -m1 '^E:' "$work/apt")"
}

build()
{
	local dir=$source/build-bench

	say "building in build-bench/"
	if ! {
		{ [ -f "$dir/build.ninja" ] ||
			meson setup "$dir" "$source" --buildtype=release -Dtests=false; } &&
			meson compile -C "$dir"
	} >"$work/build" 2>&1; then
		tail -n 20 "$work/build" >&2
		die "the build failed"
	fi
	helpers=$dir/tools/big
	[ -n "${KMEMTAPE:-}" ] || KMEMTAPE=$dir/src/cli/kmemtape
}

# optional_library NAME PACKAGE: NAME as pkg-config knows it
optional_library()
{
	pkg-config --exists "$1" 2>/dev/null || ! $is_root || install_packages "$2" ||
		say "can't install $2: $(grep -m1 '^E:' "$work/apt")"
}
