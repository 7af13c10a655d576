#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What recording and replay cost doesn't grow unnoticed: instructions, counted by valgrind, of an optimised build on
# simulated tapes. They are the same each time, however busy the machine; but other compilers, other versions of zstd
# and other CPUs make others of the same source, so that there are limits for those of the table only.
#
# run.sh --update   writes the table as it is now. Do so where something has become faster, or is worth its price; and
#                   say that price in the commit.
set -u
cd "$(dirname "$0")" || exit 1
KMT_TESTS=$PWD/..
table=$PWD/table
. ../build/lib.sh

PERCENT=5 # more than the table says fails

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

# An event of a replay, without what each replay costs: that of a tape with fewer of them.
replayed()
{
	local more fewer

	more=$(count "$BUILT" replay --threads 0 "$WORK/$1") && fewer=$(count "$BUILT" replay --threads 0 "$WORK/$2") || exit 1
	awk "BEGIN { printf \"%.1f\n\", ($more - $fewer) / ($3) }"
}

# A KiB of sub-buffers, from the kernel to the file.
recorded()
{
	local all

	all=$(count --toggle-collect=kmt_chunk_writer_add "$WORK/build/tools/big/bigtape" --cpus 1 --events 200K "$WORK/recorded") || exit 1
	awk "BEGIN { printf \"%.1f\n\", $all / $(zstd -dc "$WORK/recorded/cpu/0000.zst" | wc -c) * 1024 }"
}

measure()
{
	local small

	make_tape few --live 20K --events 60K && make_tape many --live 20K --events 300K
	echo "replay $(replayed many few 239616)"
	make_tape few-wide --live 20K --events 131072 --cpus 256 && make_tape many-wide --live 20K --events 393216 --cpus 256
	echo "replay-of-256-cpus $(replayed many-wide few-wide 262144)"
	make_tape many-sites --live 20K --events 300K --sites 20K
	echo "replay-of-20000-sites $(replayed many-sites few 239616)"
	for small in few many; do
		"$BUILT" pack --small -o "$WORK/$small.tar" "$WORK/$small" >"$WORK/out" 2>&1 || fail "pack --small: exit status $?"
	done
	echo "replay-of-small $(replayed many.tar few.tar 239616)"
	echo "recording-of-a-kib $(recorded)"
}

for needed in valgrind zstd; do
	command -v $needed >/dev/null || skip "needs $needed"
done
TARGETS=(kmemtape bigtape)
build --buildtype=release -Dwerror=false -Dtests=false -Dlines=disabled
conditions >"$WORK/conditions"
if [ "${1:-}" = --update ]; then
	measure >"$WORK/measured" || exit 1
	{
		sed 's/^/# /' "$WORK/conditions"
		cat "$WORK/measured"
	} >"$table"
	exit 0
fi
sed -n 's/^# //p' "$table" | diff - "$WORK/conditions" >"$WORK/diff" ||
	skip "the table is of $(sed -n 's/^# //p' "$table" | paste -sd ,), this is $(paste -sd , "$WORK/conditions")"
measure >"$WORK/measured" || exit 1
awk -v percent=$PERCENT '
	NR == FNR { if ($1 != "#") limit[$1] = $2; next }
	{
		seen[$1] = 1
		change = limit[$1] ? ($2 / limit[$1] - 1) * 100 : 0
		printf "%-24s %10.1f instructions, %10.1f in the table: %+.1f %%\n", $1, $2, limit[$1], change
		if (!($1 in limit) || change > percent) is_bad = 1
	}
	END {
		for (name in limit) if (!(name in seen)) { print name ": not measured"; is_bad = 1 }
		exit is_bad
	}' "$table" "$WORK/measured" || fail "it costs more than $PERCENT % more than tests/instructions/table says"
exit 0
