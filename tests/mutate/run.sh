#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# More than 1000 changed tapes through the commands: of every golden script, of the zoo, of other machines, packed ones,
# and trace.dats; and what was once found. tests/mutate/run.sh [TAPES [OPTION... of mutate]]
set -euo pipefail
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
build=$here/../../build-test
: "${KMEMTAPE:=$build/src/cli/kmemtape}" "${MKTAPE:=$build/tools/script/mktape}"
: "${ZOO_TAPE:=$build/tests/zoo/zoo-tape}" "${MUTATE:=$build/tests/mutate/mutate}"
number=$((${1:-1010} / 2))
[ $# -eq 0 ] || shift

work=$(mktemp -d "${TMPDIR:-/tmp}/mutate.XXXXXX")
trap 'rm -rf "$work" "$work".[01]' EXIT
for script in "$here"/../golden/*.script; do
	"$MKTAPE" "$script" -o "$work/$(basename "$script" .script)"
done
made=$work.0
for scenario in leak-constant short-healthy untraced-90 wave; do
	"$ZOO_TAPE" "$here/../zoo/scenarios/$scenario" 1 "$made" | "$MKTAPE" - -o "$work/zoo-$scenario"
	rm "$made"
done
for tape in zoo-leak-constant an-owner-is-behind-its-helpers references-are-counted-by-pointer; do
	for step in distill redact small; do
		"$KMEMTAPE" pack "--$step" -o "$made" "$work/$tape" 2>/dev/null
		mkdir "$work/$tape.$step"
		tar -xf "$made" -C "$work/$tape.$step" --strip-components=1
		rm "$made"
	done
done
tapes=("$work"/* "$here"/../frozen/*.tape "$here"/../frozen/trace-*.dat)
for tape in by-pid areas-of-vmalloc-by-probes; do
	"$KMEMTAPE" pack -o "$work/$tape.tar" "$work/$tape" 2>/dev/null
	tapes+=("$work/$tape.tar")
done

"$MUTATE" -r "$here"/regressions/*
# Two at a time: a half each.
pids=()
for half in 0 1; do
	mkdir "$work.$half"
	"$MUTATE" -t "$work.$half" -f $((half * number)) -n "$number" "$@" "${tapes[@]}" &
	pids+=($!)
done
failed=0
for pid in "${pids[@]}"; do
	wait "$pid" || failed=1
done
exit $failed
