#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The zoo: tapes of machines that are made up, so that the truth is known. Prints which classes the sites got
# and should have, precision and recall of `leak`, and each mistake with the command that shows it again.
# tests/zoo/run.sh [SCENARIO...]          all, or these
# tests/zoo/run.sh --one SCENARIO SEED    one tape; what replay says of it. With ZOO_KEEP=DIR it stays there
# Environment: ZOO_SEEDS: how many tapes of each scenario [8], ZOO_FIRST_SEED [1], ZOO_JOBS [2]; KMEMTAPE,
# MKTAPE, ZOO_TAPE: the programs.
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
build=$here/../../build-test
: "${KMEMTAPE:=$build/src/cli/kmemtape}" "${MKTAPE:=$build/tools/script/mktape}" "${ZOO_TAPE:=$build/tests/zoo/zoo-tape}"
export KMEMTAPE MKTAPE ZOO_TAPE

# one SCENARIO SEED DIR: a tape in DIR, its report and the truth
one()
{
	"$ZOO_TAPE" "$here/scenarios/$1" "$2" "$3/truth.json" | "$MKTAPE" - -o "$3/tape" &&
		"$KMEMTAPE" replay --format json "$3/tape" >"$3/report.json"
}

# check SCENARIO SEED DIR: one, and what check.jq says of it
check()
{
	if one "$1" "$2" "$3" 2>"$3/why"; then
		jq -nr --slurpfile truth "$3/truth.json" --slurpfile report "$3/report.json" -f "$here/check.jq"
	else
		printf 'failed\t%s\t%s\t%s\n' "$1" "$2" "$(tail -n 1 "$3/why")"
	fi
}

case "${1-}" in
--one)
	dir=${ZOO_KEEP:-$(mktemp -d "${TMPDIR:-/tmp}/zoo.XXXXXX")}
	[ -n "${ZOO_KEEP-}" ] || trap 'rm -rf "$dir"' EXIT
	mkdir -p "$dir"
	rm -rf "$dir/tape"
	check "$2" "$3" "$dir"
	"$KMEMTAPE" replay "$dir/tape" | sed 's/^/    /'
	exit
	;;
--check) # for xargs
	dir=$(mktemp -d "$ZOO_WORK/XXXXXX")
	check "$2" "$3" "$dir" >"$dir/lines"
	mv "$dir/lines" "$ZOO_WORK/$2.$3.lines"
	rm -rf "$dir"
	exit
	;;
esac

ZOO_WORK=$(mktemp -d "${TMPDIR:-/tmp}/zoo.XXXXXX")
trap 'rm -rf "$ZOO_WORK"' EXIT
export ZOO_WORK
first=${ZOO_FIRST_SEED:-1}
[ $# -gt 0 ] || mapfile -t names < <(ls "$here/scenarios")
[ $# -eq 0 ] || names=("$@")
for name in "${names[@]}"; do
	for ((seed = first; seed < first + ${ZOO_SEEDS:-8}; seed++)); do
		printf '%s %s\n' "$name" "$seed"
	done
done | xargs -P "${ZOO_JOBS:-2}" -L 1 "$0" --check
for name in "${names[@]}"; do
	for ((seed = first; seed < first + ${ZOO_SEEDS:-8}; seed++)); do
		cat "$ZOO_WORK/$name.$seed.lines"
	done
done | awk -f "$here/table.awk"
