#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# pack --redact of a recording with everything on it: none of this kernel's addresses is on the tape that becomes of it, and the
# report is the same. What is known here: all that root reads in /proc/kallsyms, all that the tape has, and each word of
# its raw pages that looks like an address.
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/cli/redacted-lib.sh
. "$(dirname "$0")/../cli/redacted-lib.sh"

[ "$(getconf LONG_BIT)" = 64 ] || skip "knows addresses of 64 bits only"
cd "$WORK" || exit 1
"$KMEMTAPE" record -o full.tape -e all --stack --settle 0 -- \
	sh -c 'ls -lR /usr/include >/dev/null; cat /proc/net/* >/dev/null 2>&1; true' 2>log || fail "record: $(cat log)"
redact full.tape || fail "redact: $(cat said)"
known_of full.tape
cut -d ' ' -f 1 /proc/kallsyms >>known
[ "$(grep -cv '^0*$' known)" -gt 10000 ] || skip "kallsyms is hidden, even from root"
search redacted.tape || fail "$(cat found)"
[ "$(cut -d ' ' -f 1 found)" -gt 20000 ] || fail "too little is known: $(cat found)"
# The tape itself is full of them: or else the search would prove nothing.
search full.tape && fail "not even the tape as it was has addresses"

jq -e '.kernel.host == "" and .command == ""' redacted.tape/manifest.json >/dev/null ||
	fail "host or command: $(cat redacted.tape/manifest.json)"
[ ! -e redacted.tape/comms ] || fail "names of tasks are there"
! zstd -dcq redacted.tape/cpu/*.zst | grep -qF kmemtape || fail "the name of a task is in the events"
"$KMEMTAPE" verify -q redacted.tape || fail "does not verify"
report full.tape >old.json
report redacted.tape >new.json
diff old.json new.json >changes || fail "another report: $(head -n 20 changes)"
