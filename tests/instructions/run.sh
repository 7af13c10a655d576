#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What recording and replay cost doesn't grow unnoticed: instructions, counted by valgrind, of an optimised build on
# simulated tapes. They don't depend on how busy the machine is; but other compilers, other versions of zstd
# and other CPUs make others of the same source, so that there are limits for those of the table only.
#
# run.sh --update    writes the table as it is now. Do so where something has become faster, or is worth its price; and
#                    say that price in the commit.
# run.sh --scaling   prints how replay scales, of long tapes: takes minutes.
set -u
cd "$(dirname "$0")" || exit 1
KMT_TESTS=$PWD/..
table=$PWD/table
. ../build/lib.sh
. ./scaling.sh

PERCENT=5 # more than the table says fails
unset MALLOC_PERTURB_ # meson sets it: to fill what is allocated takes instructions

skip()
{
	echo "$*"
	exit 77
}

# Of the machine: what the counts depend on beside the source.
conditions()
{
	sed -n 's/^C compiler for the host machine: .*(\([a-z]*\) \([0-9]*\)\..*/\1 \2/p' "$WORK/log"
	echo "zstd $(pkg-config --modversion libzstd)"
	grep -m 1 -ow bmi2 /proc/cpuinfo || echo "no bmi2" # zstd has code of its own for it
	uname -m
}

# count PROGRAM ARGUMENT...: instructions of a run, or of a function of it that --toggle-collect names
count()
{
	valgrind --tool=callgrind --callgrind-out-file=/dev/null "$@" 2>"$WORK/valgrind" >"$WORK/out" || {
		cat "$WORK/valgrind"
		fail "$*"
	} >&2
	awk '/Collected : [0-9]+$/ { print $NF }' "$WORK/valgrind"
}

make_tape()
{
	"$WORK/build/tools/big/bigtape" "${@:2}" "$WORK/$1" || fail "bigtape: exit status $?"
}

# of_replay TAPE: the same each time, so that one count is enough
of_replay()
{
	[ -f "$WORK/count-$1" ] || count "$REPLAY" "$WORK/$1" 0 >"$WORK/count-$1" || exit 1
	cat "$WORK/count-$1"
}

# An event of a replay, without what each replay costs: that of a tape with fewer of them.
replayed()
{
	local more fewer

	more=$(of_replay "$1") && fewer=$(of_replay "$2") || exit 1
	awk "BEGIN { printf \"%.1f\n\", ($more - $fewer) / ($3) }"
}

# A KiB of sub-buffers, from the kernel to the file.
recorded()
{
	local all

	rm -rf "$WORK/recorded"
	all=$(count --toggle-collect=kmt_chunk_writer_add "$WORK/build/tools/big/bigtape" --cpus 1 --events 200K "$WORK/recorded") || exit 1
	awk "BEGIN { printf \"%.1f\n\", $all / $(zstd -dc "$WORK/recorded/cpu/0000.zst" | wc -c) * 1024 }"
}

make_tapes()
{
	local small

	make_tape few --live 20K --events 60K && make_tape many --live 20K --events 300K
	make_tape few-wide --live 20K --events 131072 --cpus 256 && make_tape many-wide --live 20K --events 393216 --cpus 256
	make_tape many-sites --live 20K --events 300K --sites 20K
	for small in few many; do
		"$BUILT" pack --small -o "$WORK/$small.tar" "$WORK/$small" >"$WORK/out" 2>&1 || fail "pack --small: exit status $?"
	done
}

ROWS="replay replay-of-256-cpus replay-of-20000-sites replay-of-small recording-of-a-kib"

# measure ROW
measure()
{
	case $1 in
	replay) replayed many few 239616 ;;
	replay-of-256-cpus) replayed many-wide few-wide 262144 ;;
	replay-of-20000-sites) replayed many-sites few 239616 ;;
	replay-of-small) replayed many.tar few.tar 239616 ;;
	recording-of-a-kib) recorded ;;
	esac
}

# is_more A B PERCENT: than B and so much
is_more()
{
	awk "BEGIN { exit !($1 > $2 * (1 + $3 / 100)) }"
}

for needed in valgrind zstd; do
	command -v $needed >/dev/null || skip "needs $needed"
done
TARGETS=(kmemtape bigtape counted-replay mktape)
build --buildtype=release -Dwerror=false -Dtests=true -Dlines=disabled
REPLAY=$WORK/build/tests/counted-replay
if [ "${1:-}" = --scaling ]; then
	scaling_events=(640000 2560000)
	page_events=(320000 1280000)
	make_scaling_tapes
	scaling cpus "${scaling_events[@]}" 1 2 4 8 16
	scaling pages "${page_events[@]}" 1 2 4 8 16
	exit 0
fi
conditions >"$WORK/conditions"
if [ "${1:-}" = --update ]; then
	make_tapes
	for row in $ROWS; do
		count=$(measure "$row") || exit 1
		echo "$row $count"
	done >"$WORK/measured"
	{
		sed 's/^/# /' "$WORK/conditions"
		cat "$WORK/measured"
	} >"$table"
	exit 0
fi
sed -n 's/^# //p' "$table" | diff - "$WORK/conditions" >"$WORK/diff" ||
	skip "the table is of $(sed -n 's/^# //p' "$table" | paste -sd ,), this is $(paste -sd , "$WORK/conditions")"
[ "$(sed -n 's/^\([^# ]*\) .*/\1/p' "$table")" = "$(tr ' ' '\n' <<<"$ROWS")" ] || fail "the table has other rows than $ROWS"
make_tapes
make_scaling_tapes
is_bad=
while read -r row limit; do
	count=$(measure "$row") || fail "$row: not measured: $count"
	printf '%-24s %10.1f instructions, %10.1f in the table\n' "$row" "$count" "$limit"
	is_more "$count" "$limit" $PERCENT && is_bad="$is_bad $row"
done < <(grep -v '^#' "$table")
[ -z "$is_bad" ] || fail "more than $PERCENT % more than tests/instructions/table says:$is_bad"
scaling cpus "${scaling_events[@]}" 16 | tee "$WORK/scaling-of-cpus"
scaling pages "${page_events[@]}" 16 | tee "$WORK/scaling-of-pages"
for what in cpus pages; do
	efficiency=$(awk 'END { print $NF }' "$WORK/scaling-of-$what")
	is_more "$EFFICIENCY_MIN" "$efficiency" 0 && fail "$what: 16 cores are less than $EFFICIENCY_MIN of 16 times faster"
done
exit 0
