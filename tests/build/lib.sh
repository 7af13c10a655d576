# SPDX-License-Identifier: GPL-2.0-only
# Sourced by the build tests: builds the source in a directory of its own, with other options.
set -u
source_dir=$KMT_TESTS/..
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

fail()
{
	echo "FAIL: $*"
	exit 1
}

TARGETS=() # all

# build OPTION...: into $WORK/build; $BUILT is the program
build()
{
	meson setup "$WORK/build" "$source_dir" -Dwerror=true -Db_lto=false --buildtype=plain "$@" >"$WORK/log" 2>&1 &&
		meson compile -C "$WORK/build" "${TARGETS[@]}" >>"$WORK/log" 2>&1 || {
		tail -n 20 "$WORK/log"
		fail "it doesn't build"
	}
	BUILT=$WORK/build/src/cli/kmemtape
}
