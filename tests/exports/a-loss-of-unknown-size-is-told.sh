#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Where nobody knows how many events were lost, no export says that it was none.
. "$(dirname "$0")/lib.sh"

"$MKTAPE" "$KMT_TESTS/golden/a-loss-of-unknown-size-is-a-loss.script" -o lossy || exit 1
"$KMEMTAPE" replay --format json lossy | jq -e '.events.lost == 0 and .events.losses == 1' >/dev/null || fail "it is another tape"

# Usage: tells FORMAT PATTERN
tells() {
	"$KMEMTAPE" replay --format "$1" -o out lossy 2>err || fail "$1: exit $?"
	cat out err | tr -d '\0' | grep -qaE "$2" || fail "$1: a loss is not told: $(head -c 2000 out | cat -v) $(cat err)"
	! cat out err | tr -d '\0' | grep -qaE '(^|[^0-9])0 events lost|lost events: 0' || fail "$1 says that none was lost: $(cat err)"
}

tells text '^LOST AN UNKNOWN NUMBER OF EVENTS in 1 place'
tells html 'Lost: an unknown number of events in 1 place'
tells folded 'an unknown number of events lost'
tells speedscope 'an unknown number of events lost'
tells firefox 'lost events: an unknown number in 1 place'
tells perfetto 'lost events: an unknown number in 1 place'
tells csv ',lost,losses,complete,sample'
tells csv ',0,1,1,1.?$'
tells openmetrics '^kmemtape_losses 1$'
"$KMEMTAPE" replay --format ndjson lossy | jq -es 'length > 0 and all(.lost == 0 and .losses == 1)' >/dev/null || fail "ndjson: a loss is not told"
if "$KMEMTAPE" replay --format pprof -o out lossy 2>err; then
	gzip -dc out | grep -qaF 'lost events: an unknown number in 1 place' || fail "pprof: a loss is not told"
fi
exit $failed
