#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The frozen tape gives the report that it always gave. Keys may have been added to it, never changed.
set -u
cd "$KMT_TESTS/frozen" || exit 1
"$KMEMTAPE" verify -q format-1.tape || exit 1
"$KMEMTAPE" replay --format json format-1.tape | jq -e --slurpfile old format-1.json '
	def within($now): # every key and element of it is in $now
		if type == "object" then . as $o | all(keys[]; . as $k | $o[$k] | within($now[$k]))
		elif type == "array" then . as $a | length == ($now | length) and
			all(range(length); . as $i | $a[$i] | within($now[$i]))
		else . == $now end;
	. as $now | $old[0] | within($now)' >/dev/null || {
	echo "the report has changed:"
	"$KMEMTAPE" replay --format json format-1.tape | diff format-1.json -
	exit 1
}
