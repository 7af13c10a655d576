#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Frozen tapes give the reports that they always gave. Keys may have been added, never changed. See frozen/SOURCES; those
# of real kernels, 32-bit and big-endian, are compared with the independent path, too. The order by suspicion is a
# matter of judgement, which may get better: that by bytes may not change.
set -u
cd "$KMT_TESTS/frozen" || exit 1
failed=0
nr=0
for tape in *.tape; do
	name=${tape%.tape}
	nr=$((nr + 1))
	"$KMEMTAPE" verify -q "$tape" || failed=1
	"$KMEMTAPE" replay --format json --sort bytes "$tape" | jq -e --slurpfile old "$name.json" '
		def within($now): # every key and element of it is in $now
			if type == "object" then . as $o | all(keys[]; . as $k | $o[$k] | within($now[$k]))
			elif type == "array" then . as $a | length == ($now | length) and
				all(range(length); . as $i | $a[$i] | within($now[$i]))
			else . == $now end;
		. as $now | $old[0] | within($now)' >/dev/null || {
		echo "the report of $tape has changed:"
		"$KMEMTAPE" replay --format json --sort bytes "$tape" | diff "$name.json" - | head -n 20
		failed=1
	}
done
for tape in i386 s390x; do
	sh ../independent/compare.sh $tape.tape || failed=1
done
[ $nr -ge 5 ] || failed=1
exit $failed
