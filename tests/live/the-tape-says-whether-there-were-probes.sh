#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# With kprobe events, what kfree_rcu() frees is on the tape; without, the recording is as good as ever, and says why.
. "$(dirname "$0")/lib.sh"

free_probes()
{
	sed -n 's/^ *"free_probes": *"\(.*\)",*$/\1/p' "$1/manifest.json"
}

"$KMEMTAPE" record -q -o "$WORK/without.tape" -d 200ms --settle 0 --no-probes 2>"$WORK/log" || fail "exit status $?"
[ ! -s "$WORK/log" ] || fail "it said: $(cat "$WORK/log")"
[ "$(free_probes "$WORK/without.tape")" = "off: they were not wanted" ] || fail "$(free_probes "$WORK/without.tape")"
[ ! -e "$WORK/without.tape/events/kmemtape" ] || fail "there are probes on the tape"

"$KMEMTAPE" record -q -o "$WORK/with.tape" -d 200ms --settle 0 2>"$WORK/log" || fail "exit status $?"
[ ! -s "$WORK/log" ] || fail "it said: $(cat "$WORK/log")"
if [ -e "$TRACEFS/kprobe_events" ]; then
	wanted=on
	[ -e "$WORK/with.tape/events/kmemtape/rcu_free/format" ] || fail "no probe on kfree_rcu() on the tape"
	[ -e "$WORK/with.tape/events/kmemtape/bulk_free/format" ] || fail "no probe on bulk frees on the tape"
	! grep -q kmemtape "$TRACEFS/kprobe_events" || fail "probes are left: $(cat "$TRACEFS/kprobe_events")"
else
	wanted="off: this kernel has no kprobe events"
	[ ! -e "$WORK/with.tape/events/kmemtape" ] || fail "there are probes on the tape"
fi
[ "$(free_probes "$WORK/with.tape")" = "$wanted" ] || fail "the tape says '$(free_probes "$WORK/with.tape")', not '$wanted'"
"$KMEMTAPE" info "$WORK/with.tape" | grep -qx "free probes $wanted" || fail "info says $("$KMEMTAPE" info "$WORK/with.tape")"
"$KMEMTAPE" replay "$WORK/with.tape" >/dev/null || fail "replay: exit status $?"
