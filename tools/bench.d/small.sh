# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # sourced by tools/bench
#
# The same tape, packed to be small.

small=

pack_small()
{
	local begin end

	"$KMEMTAPE" pack --help | grep -q -e --small || {
		skip small "this kmemtape has no pack --small"
		return
	}
	say "packing with --small"
	begin=${EPOCHREALTIME/./}
	timed "$work/outer" "$KMEMTAPE" pack --small -o "$work/small.tar" "$tape" 2>"$work/err" || {
		skip small "$(last_words "$work/err")"
		return
	}
	end=${EPOCHREALTIME/./}
	small=$work/small.tar
	sample small pack wall_s "$(calculate "($end - $begin) / 1000000")"
	sample small pack cpu_s "$(cpu_seconds "$work/outer")"
	sample small pack tape_bytes "$(bytes_of "$small")"
	sample small pack bytes_an_event "$(calculate "$(bytes_of "$small") / $events")"
}
