#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# -Drecord=disabled builds a kmemtape that replays, doesn't know libtracefs, and says that it can't record. The same with
# -Dseccomp=disabled.
. "$(dirname "$0")/lib.sh"

TARGETS=(kmemtape)
build -Drecord=disabled -Dseccomp=disabled -Dtests=false
ldd "$BUILT" | grep -q tracefs && fail "it is linked with libtracefs"
ldd "$BUILT" | grep -q seccomp && fail "it is linked with libseccomp"
"$BUILT" --version | grep -q 'sandbox: .*no seccomp' || fail "it doesn't say that there is no seccomp: $("$BUILT" --version)"
"$BUILT" replay --format json "$KMT_TESTS/frozen/format-1.tape" >"$WORK/json" || fail "it doesn't replay"
grep -q '"schema": *1' "$WORK/json" || fail "no report"
"$BUILT" record 2>"$WORK/err" && fail "record: exit 0"
grep -q "built without 'record'" "$WORK/err" || fail "record: $(cat "$WORK/err")"
exit 0
