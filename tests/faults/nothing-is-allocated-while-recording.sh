#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: There is no memory to be had while it records.
# Promise: It asks for none from the first second on to the end; before, for the text of the manifest only.
. "$(dirname "$0")/lib.sh"

"$ALLOCATIONS" "$WORK/a.tape" >"$WORK/allocated" 2>"$WORK/log"
status=$?
[ $status != 77 ] || skip "only a build with AddressSanitizer knows"
[ $status = 0 ] || fail "exit status $status: $(cat "$WORK/log")"
read -r _ early early_bytes later later_bytes <"$WORK/allocated"
[ "$early" -gt 0 ] || fail "it sees no allocation: nothing to test"
[ "$early_bytes" -lt 65536 ] || fail "$early_bytes bytes were allocated in the first second"
[ "$later" = 0 ] || fail "$later allocations, $later_bytes bytes, while events were on: $(cat "$WORK/log")"
