#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The clock was set, or the machine suspended: `kmemtape info` tells of either, and takes neither for the other.
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1

# info CLOCK OFFSET-AT-THE-END-MS SUSPENDED-MS: of a tape that began at an offset of 1000000 ms
info()
{
	rm -rf tape
	printf '%s\n' "formats 6.18" "clock $1" "wall_offset 1000000000000" "wall_offset_end ${2}000000" "suspended ${3}000000" \
		>script
	"$MKTAPE" script -o tape && "$KMEMTAPE" info tape >info || exit 1
}
fail() { echo "$*"; cat info; exit 1; }

info mono 4600000 0
grep -q 'the wall clock was set by +3600 s while recording' info || fail "set forth"
info boot 940000 0
grep -q 'the wall clock was set by -60 s while recording' info || fail "set back"
info mono 1060000 60000
grep -q 'was set by' info && fail "suspended is not set"
grep -q 'the machine was suspended for 60.0 s' info || fail "suspended"
info boot 1000000 60000
grep -q 'was set by' info && fail "boot goes on in suspend"
info boot 1000999 0
grep -q 'was set by' info && fail "less than a second"
exit 0
