#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Each layer includes only the headers of the layers that it may use, and only its own outside library.
set -u
cd "$KMT_TESTS/.." || exit 1

declare -A headers=(
	[base]='bytes capabilities cleanup err fs hash progress span units'
	[core]='account dossier estimate event history intervals judgement ledger liveset quota result site site-query suppression tasks track trend verdict'
	[tape]='chunk columns manifest members padding tape tape-format'
	[decode]='counters decoder formats gfp lines merge names ring snapshots stacks symbols'
	[replay]='owners replay survey'
	[report]='diagnosis diff fleet report spark summary words'
	[record]='record'
	[dat]='trace-dat'
	[share]='share'
	[tui]='tui'
)
# core is pure: its result.h is what report sees, its event.h what decode makes.
declare -A may=(
	[base]='base'
	[core]='base core'
	[tape]='base tape'
	[decode]='base decode core/event'
	[replay]='base tape decode core replay'
	[report]='base report core/result core/site core/dossier core/history core/intervals core/judgement'
	[record]='base tape record'
	[dat]='base tape dat'
	[share]='base tape decode core replay share'
	[tui]='base report tui core/result core/site core/dossier core/history core/intervals core/judgement'
	[cli]='base tape decode core replay report record dat share tui'
)
declare -A libraries=(
	[base]='' [core]='' [tape]='zstd.h|json-c/|archive' [decode]='elfutils/|pthread.h'
	[replay]='pthread.h' [report]='json-c/|zlib.h' [record]='tracefs.h|pthread.h' [cli]='seccomp.h|pthread.h' [dat]='zstd.h|zlib.h'
	[share]='' [tui]='curses.h|term.h|pthread.h'
)
outside='zstd.h|json-c/|archive|traceevent/|elfutils/|pthread.h|tracefs.h|trace-cmd/|zlib.h|seccomp.h|curses.h|term.h'
failed=0

fail() {
	echo "$*"
	failed=1
}

allowed() { # LAYER: the headers it may include, one a line
	local word
	for word in ${may[$1]}; do
		case $word in
		*/*) echo "${word#*/}" ;;
		*) tr ' ' '\n' <<<"${headers[$word]}" ;;
		esac
	done
}

for layer in "${!may[@]}"; do
	list=$(allowed "$layer")
	for file in src/"$layer"/*.[ch]; do
		while read -r header; do
			grep -qx "$header" <<<"$list" || fail "$file includes kmemtape/$header.h"
		done < <(sed -n 's|^#include "kmemtape/\(.*\)\.h"|\1|p' "$file")
		while read -r header; do
			grep -qE "$outside" <<<"$header" || continue
			[ -n "${libraries[$layer]}" ] && grep -qE "${libraries[$layer]}" <<<"$header" ||
				fail "$file includes <$header>"
		done < <(sed -n 's|^#include <\(.*\)>|\1|p' "$file")
		grep -q '#include "\.\./' "$file" && fail "$file reaches into another layer"
	done
done
for header in include/kmemtape/*.h; do
	name=$(basename "$header" .h)
	tr ' ' '\n' <<<"${headers[*]}" | grep -qx "$name" || fail "$header belongs to no layer"
done
# Core has no descriptor, clock, globals or printf; libraries do not talk to the user or exit.
grep -nE '\b(f?printf|puts|open|read|clock_gettime|time)\(' src/core/*.c | grep -v snprintf && fail "core is not pure"
grep -nE '\b(printf|puts|perror|exit|_exit|abort)\(' src/{base,core,tape,decode,replay,report,dat,share,tui}/*.c && fail "a library talks or exits"
exit $failed
