#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# `diff --format html` in a browser: the banner says what the text says first, in its colour; names are inert; all is there without JavaScript.
. "$(dirname "$0")/lib-two.sh"
make bad leak=10
make still leak=10
make good
make lossy lost=700
for tape in bad still good lossy; do
	report $tape fig
done

checks=
# Usage: page_of TONE A B WORD...
page_of() {
	local tone=$1 a=$2 b=$3 words
	shift 3
	words=$(printf '"%s",' "$@")
	first_sentence "$a-$b" diff "$a.json" "$b.json"
	"$KMEMTAPE" diff --format html -o "$a-$b.html" "$a.json" "$b.json" || fail "$a $b: exit $?"
	is_inert "$a-$b.html"
	checks+="check('$a-$b', '$tone', [$words])"$'\n'
}
page_of good bad good gone foo_alloc kmalloc-64 '+2.20 MiB/h' '1.70 MiB' '31.2 KiB' '38.6 KiB' 360000 'leak 0.91' 'LEAK LIKELY' \
	'leaks in A; B would' 'All tapes are complete' '<img'
page_of bad good bad new foo_alloc
page_of bad bad still same foo_alloc
page_of untold bad bad same 'same recording'
page_of untold bad lossy cannot-tell 'LOST 700 EVENTS'

# More items with --top 0; a row is moved by its heading, and found.
"$KMEMTAPE" diff --format html --top 0 bad.json good.json >all.html || fail "--top: exit $?"
look <<END
$is_page
$checks
b.open(os.getcwd() + "/all.html")
names = lambda: b.js("return [...document.querySelectorAll('#items tbody tr')].filter(r => !r.hidden).map(r => r.cells[0].innerText)")
assert names() == ["gone", "quiet", "quiet"], names()
b.point("#items th:first-child button", click=True)
b.point("#items th:first-child button", click=True)
assert names() == ["quiet", "quiet", "gone"], names()
b.js("const i = document.querySelector('[data-filter=items]'); i.value = 'foo_alloc'; i.dispatchEvent(new Event('input'))")
assert names() == ["gone"], names()
END
exit $failed
