#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Prepares the machines of this suite's tests. Skipped where they can't be had, and then the tests are, too.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/vm/lib.sh
. "$here/../../tools/vm/lib.sh"

rm -rf "${VM_RESULTS:?}"
mkdir -p "$VM_RESULTS" "$VM_BUILD"
rm -f "$VM_BUILD/unavailable"
"$VM_DIR/prepare" 2>&1 | tee "$VM_RESULTS/prepare.log"
status=${PIPESTATUS[0]}
case $status in
0) : >"$VM_RESULTS/prepared" ;;
77) tail -n 1 "$VM_RESULTS/prepare.log" >"$VM_BUILD/unavailable" ;;
esac
exit "$status"
