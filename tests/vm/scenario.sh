#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# One scenario on one kernel: what its tape says is what its modules announced. tests/vm/scenario.sh KERNEL SCENARIO
# Leaves tape, console and check.sh's result in $VM_RESULTS/KERNEL/SCENARIO.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/vm/lib.sh
. "$here/../../tools/vm/lib.sh"

kernel=$1
scenario=$2
dir=$VM_RESULTS/$kernel/$scenario
suite=$(vm_resolve "$kernel")
# The test "prepare" has just tried: no need for each of the others to wait for the same network.
for why in "$VM_BUILD/unavailable" "$VM_BUILD/$suite/unavailable"; do
	if [ -n "$(find "$why" -mmin -60 2>/dev/null)" ]; then
		cat "$why"
		exit 77
	fi
done

# It prepares what is missing if this test is run alone.
[ -z "$(find "$VM_RESULTS/prepared" -mmin -60 2>/dev/null)" ] || export KMEMTAPE_VM_IS_PREPARED=1

# Kernel addresses look different with page tables of four and of five levels. A leak and its healthy twin run with
# either; the tests of both go over the same code of ours.
la57=on
case "$scenario" in *-healthy) la57=off ;; esac

# Usage: record: a tape of the scenario in $dir. Exits where there can be none.
record() {
	local status=0
	rm -rf "$dir"
	mkdir -p "$dir"
	"$VM_DIR/run" "$scenario" --kernel "$kernel" --keep "$dir" --la57 $la57 || status=$?
	if [ $status -ne 0 ]; then
		[ $status = 77 ] || echo "fail $scenario no tape: exit status $status" >"$dir/result"
		return $status
	fi
	vm_release "$suite" >"$dir/release"
}

# Usage: check: what the tape says, whole and with pages missing.
check() {
	local status=0
	bash "$here/check.sh" "$scenario" "$dir" || status=1
	# Dozens of replays of nearly the same tape: without the sanitizers, which have just seen it.
	KMEMTAPE=$VM_BUILD/static/src/cli/kmemtape bash "$here/dropped.sh" "$scenario" "$dir" || status=1
	return $status
}

record || exit $?
check && exit 0
# Seconds of a leak, recorded under emulation on a machine that does other things, too: that a guest which stood still half
# of the time is not judged harshly enough says nothing. Then a second recording decides, and the first one's failure
# stays in the log. Whatever else is wrong is wrong: a number, a name, and most of all an accusation.
others=$(grep '^fail ' "$dir/result" | grep -vE "^fail $scenario verdict (none: |only possible, and the module is gone: )" || true)
grep -q '^fail ' "$dir/result" && [ -z "$others" ] || exit 1
echo "NOTE: $kernel $scenario was not judged harshly enough; once more"
record || exit $?
check
