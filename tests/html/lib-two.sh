# SPDX-License-Identifier: GPL-2.0-only
# For pages about several tapes: sourced; what both lib.sh have, in one directory.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
rmdir "$dir"
. "$KMT_TESTS/diff/lib.sh"

# Usage: report NAME [HOST]: of NAME.tape in NAME.json, with names that would open a tag, end the script or run something
report() {
	evil=$(printf '</script><img/src=x/onerror=alert(1)>"\x27&lt;\xe2\x80\xae\x01')
	"$KMEMTAPE" replay --format json "$1.tape" | jq --arg e "$evil" --arg host "${2-}" '
		.sites[] |= (if .function then .function += $e else . end | if .cache then .cache += $e else . end
			| if .module then .module += $e else . end)
		| .tape |= (.path += $e | .host = $host + $e | .kernel += $e | .arch += $e)
		| .verdict.headline += $e | .notes += [$e] | .filters += [$e]' >"$1.json" || fail "$1: no report"
	grep -q '<img' "$1.json" || fail "$1: no such names"
}

# Usage: first_sentence NAME COMMAND...: what the text begins with, its lines joined, in NAME.wanted
first_sentence() {
	local name=$1
	shift
	"$KMEMTAPE" "$@" | awk '!NF { exit } { sub(/^ +/, ""); printf "%s%s", sep, $0; sep = " " } END { print "" }' >"$name.wanted"
	[ -s "$name.wanted" ] || fail "$*: no sentence"
}

# Usage: is_inert FILE: as it is written
is_inert() {
	! grep -q '<img' "$1" || fail "$1: a tag"
	[ "$(grep -o '</script>' "$1" | wc -l)" -eq 1 ] || fail "$1: more than one element"
	! LC_ALL=C grep -q $'\xe2\x80\xae\|\x01' "$1" || fail "$1: raw"
}

# What each of the pages has to be; python, with a Browser as `b`
is_page='
import os
squeeze = lambda text: "".join(text.split())
def check(name, tone, words):
    wanted = open(name + ".wanted").read()
    name += ".html"
    b.requests()
    b.open(os.getcwd() + "/" + name)
    assert squeeze(b.js("return document.querySelector(\"h1\").textContent")) == squeeze(wanted), (name, wanted)
    assert b.js("return document.querySelector(\".answer\").classList.contains(arguments[0])", tone), (name, tone)
    assert b.js("return document.images.length") == 0
    assert b.js("return document.scripts.length") == 1
    assert b.js("return document.querySelectorAll(\"th button\").length") > 10
    assert b.complaints() == []
    assert [url for url in b.requests() if not url.startswith(("chrome://", "file://", "data:"))] == []
    b.devtools("Emulation.setScriptExecutionDisabled", value=True)
    b.open(os.getcwd() + "/" + name)
    tree = str(b.devtools("Accessibility.getFullAXTree"))
    for word in words:
        assert word in tree, (name, word)
    b.devtools("Emulation.setScriptExecutionDisabled", value=False)
'
