#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Prints the tests of this suite: KERNEL SCENARIO on each line. Of a scenario with a line "# kernels: NAME...", for these
# kernels only: what it shows is no matter of the kernel, or needs what only some have.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/vm/lib.sh
. "$here/../../tools/vm/lib.sh"

vm_kernels | while read -r kernel _; do
	for scenario in "$here"/scenarios/*.sh; do
		kernels=$(sed -n 's/^# kernels: *//p' "$scenario")
		[ -n "$kernels" ] && [[ " $kernels " != *" $kernel "* ]] || echo "$kernel $(basename "$scenario" .sh)"
	done
done
