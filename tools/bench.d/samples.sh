# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # sourced by tools/bench
#
# Every measurement is a line of a table: PART SUBJECT METRIC VALUE.

# sample PART SUBJECT METRIC VALUE; no value means unknown, and is left out
sample()
{
	[ -n "$4" ] || return 0
	printf '%s\t%s\t%s\t%s\n' "$@" >>"$work/samples"
}

calculate()
{
	awk "BEGIN { x = $1; printf \"%.9g\", x }"
}

# Once for each subject: why there are no figures of it.
skip()
{
	has_skipped "$1" && return
	printf '%s\t%s\n' "$1" "$2" >>"$work/skipped"
	say "$1: $2"
}

has_skipped()
{
	grep -q "^$1	" "$work/skipped"
}

note()
{
	echo "$*" >>"$work/notes"
}

# What a program said last, as the reason why it failed.
last_words()
{
	local words

	words=$(grep -v '^ *$' "$1" | tail -n 2 | tr -s ' \n' ' ' | cut -c 1-160)
	echo "${words:-no reason given}"
}

# Seconds of user and system time, peak KiB of the largest process, wall seconds, as `time` found them.
timed()
{
	local file=$1

	shift
	/usr/bin/time -q -o "$file" -f '%U %S %M %e' "$@"
}

cpu_seconds()
{
	awk 'END { print $1 + $2 }' "$1"
}

wall_seconds()
{
	awk 'END { print $4 }' "$1"
}

peak_kib()
{
	awk 'END { print $3 }' "$1"
}

bytes_of()
{
	find "$@" -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum + 0 }'
}
