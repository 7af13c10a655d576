#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# However many sites a tape has and however long their names are, its page is below 2 MB, loads, and says what it left out.
. "$(dirname "$0")/lib.sh"
make_tape many --sites 6000
page many
bytes=$(stat -c %s many.html)
[ "$bytes" -lt 2000000 ] || fail "many sites: $bytes bytes"
[ "$bytes" -gt 500000 ] || fail "many sites: only $bytes bytes"

# Every character of these takes six.
make_tape long --sites 1500 --suffix "$(printf '<%.0s' {1..90})"
page long
bytes=$(stat -c %s long.html)
[ "$bytes" -lt 2000000 ] || fail "long names: $bytes bytes"

# As the JSON report has it: the rows of the page and what was left out.
"$KMEMTAPE" replay --format json many | jq '[.sites[].live_objects] | [length, add]' >wanted.json
look <<'END2'
import json, os
b.open(os.getcwd() + "/many.html")
assert b.complaints() == [], b.complaints()
wanted = json.load(open("wanted.json"))
assert b.js("""const d = JSON.parse(document.getElementById("data").textContent);
	return [d.rows.length + d.rest.rows, d.rows.reduce((n, r) => n + r.live_objects, 0) + d.rest.live_objects]""") == wanted
assert " of " in b.js("return document.querySelector('#flame > p').innerText"), "what the graph has not"
assert "more rows did not fit" in b.js("return document.getElementById('rest').innerText")
assert "filter for more" in b.js("return document.getElementById('count').innerText")
END2
exit $failed
