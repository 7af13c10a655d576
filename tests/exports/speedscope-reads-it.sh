#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# `replay --format speedscope` is as speedscope's schema has it, with the sums of the JSON report; and in a browser speedscope
# opens it, and `folded` and `pprof`.
. "$(dirname "$0")/lib.sh"
speedscope=$KMT_TESTS/exports/node_modules/speedscope/dist/release
[ -d "$speedscope" ] || {
	echo "no speedscope here: npm ci --ignore-scripts in tests/exports"
	exit 77
}
$python -c 'import jsonschema' 2>/dev/null || {
	echo "no python3-jsonschema here"
	exit 77
}

cat >read.py <<'END'
import json, jsonschema, sys
profile, report = json.load(open(sys.argv[1])), json.load(open(sys.argv[2]))
jsonschema.validate(profile, json.load(open(sys.argv[3])))
frames = [frame["name"] for frame in profile["shared"]["frames"]]
assert not any(ord(c) < 32 or ord(c) == 127 for name in frames for c in name), "raw"
key = {"bytes": "live_bytes", "none": "live_objects"}
rows = report[sys.argv[4]]
for one in profile["profiles"]:
	assert sum(one["weights"]) == one["endValue"] == sum(row[key[one["unit"]]] for row in rows if row["counted"]), one["name"]
	assert len(one["weights"]) == len(one["samples"])
for stack, weight in zip(profile["profiles"][0]["samples"], profile["profiles"][0]["weights"]):
	print(";".join(frames[i] for i in stack), weight)
END

# Usage: check LIST ARG...: its stacks, folded, go to stdout
check() {
	local list=$1
	shift
	"$KMEMTAPE" replay --format speedscope "$@" -o profile.json || fail "$*: exit $?"
	"$KMEMTAPE" replay --format json --by "${list%s}" "$@" >report.json
	$python read.py profile.json report.json "$speedscope/file-format-schema.json" "$list" || fail "$*: $(head -c 2000 profile.json)"
}

for tape in good evil; do
	check stacks $tape | sort | diff - <("$KMEMTAPE" replay --format folded $tape | sort) || fail "$tape: not the stacks of folded"
done
check stacks --top 1 good | wc -l | grep -qx 1 || fail "--top 1"
check caches --by cache good | grep -qx 'kmalloc-4k 81920' || fail "--by cache"
"$MKTAPE" "$KMT_TESTS/golden/spaces-are-never-mixed.script" -o spaces && check sites spaces >/dev/null
"$MKTAPE" "$KMT_TESTS/golden/an-empty-tape.script" -o empty && check sites empty >/dev/null
"$MKTAPE" "$KMT_TESTS/golden/a-loss-makes-older-objects-uncertain.script" -o lossy
"$KMEMTAPE" replay --format speedscope lossy | jq -e '.name | test("^lossy, [1-9][0-9]* events lost$")' >/dev/null || fail "a loss is not told"
same_for_any_threads speedscope

# In a browser, as speedscope's own command opens a file there: what it shows of each.
command -v chromium >/dev/null || {
	[ $failed -eq 0 ] && echo "no chromium here" && exit 77
}
# Usage: shows FORMAT TEXT...
shows() {
	local format=$1 text
	shift
	"$KMEMTAPE" replay --format "$format" -o "evil.$format" evil
	printf 'speedscope.loadFileFromBase64("evil.%s", "%s")' "$format" "$(base64 -w 0 "evil.$format")" >"$format.js"
	timeout 120 chromium --headless=new --no-sandbox --disable-gpu --virtual-time-budget=5000 --user-data-dir="$dir/$format.d" \
		--dump-dom "file://$speedscope/index.html#localProfilePath=$dir/$format.js" >dom.html 2>log
	for text; do
		grep -qF -- "$text" dom.html || fail "speedscope shows no '$text' of $format: $(sed 's/<[^>]*>/ /g' dom.html | tr -s ' \n' ' ' | head -c 2000)"
	done
}
size="104.69 KB" # as it writes the sum
[ "$(jq .matching.live_bytes evil.json)" = 107200 ] || fail "another sum"
shows speedscope "<title>evil - speedscope" "live bytes" "live objects" "$size"
shows folded "<title>evil.folded - speedscope"
exit $failed
