#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs the test of one fault, and leaves in $FAULTS_RESULTS/NAME what became of its promise: "kept", "broken", or
# "skipped: why". tests/faults/run.sh NAME
set -u
here=$(cd "$(dirname "$0")" && pwd)

mkdir -p "$FAULTS_RESULTS"
result=$FAULTS_RESULTS/$1
echo broken >"$result" # should this not come back
log=$(mktemp) || exit 99
trap 'rm -f "$log"' EXIT
bash "$here/$1.sh" > >(tee "$log")
status=$?
wait # for tee
case $status in
0) echo kept >"$result" ;;
77) echo "skipped: $(sed -n 's/^SKIP: //p' "$log" | tail -n 1)" >"$result" ;;
esac
exit $status
