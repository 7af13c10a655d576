#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fault: A CPU's file can't be written any more (EIO).
# Promise: Exit 1, one line naming the file; the rest is whole; the tape ends for all CPUs where that file does.
. "$(dirname "$0")/disk.sh"

start_on_disk
wait_for_a_chunk
disk "fault on=write error=EIO files=a.tape/cpu/0000.zst"
expect_end 1 "cpu/0000.zst: Input/output error"
expect_cut "$TAPE"
[ "$(jq -r .ended.why "$TAPE/manifest.json")" = "cpu/0000.zst: Input/output error" ] ||
	fail "the manifest doesn't say why: $(jq -c .ended "$TAPE/manifest.json")"
"$KMEMTAPE" verify "$TAPE" >"$WORK/verify" && fail "verify takes it for good"
grep -q 'cpu/0001.zst: good' "$WORK/verify" || fail "the other CPU's file isn't whole: $(cat "$WORK/verify")"
end_ns=$(jq .ended.time_ns "$TAPE/manifest.json")
[ "$end_ns" -gt "$(jq .time.allocs_on_ns "$TAPE/manifest.json")" ] && [ "$end_ns" -lt "$(jq .time.end_ns "$TAPE/manifest.json")" ] ||
	fail "it doesn't end where the first CPU ends: $(jq -c '.ended, .time' "$TAPE/manifest.json")"
