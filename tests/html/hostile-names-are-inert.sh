#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Names that would end the script, open a tag or run something are text on the page, and nothing else.
. "$(dirname "$0")/lib.sh"
evil=$(printf '</script><img/src=x/onerror=alert(1)><!--"\x27&lt;\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xae\xff\x01\\')
make_tape evil --suffix "$evil"
page evil
grep -c '</script>' evil.html | grep -qx 2 || fail "the elements are not two: $(grep -o '.\{60\}</script>' evil.html)"
! grep -q '<img' evil.html || fail "a tag"
! LC_ALL=C grep -q $'\xe2\x80\xa8\|\xe2\x80\xa9\|\xff\|\x01' <(sed -n '/id="data"/,$p' evil.html) || fail "raw in the data"
iconv -f UTF-8 -t UTF-8 evil.html >/dev/null || fail "no UTF-8"
look <<'END2'
import os
b.requests()
b.open(os.getcwd() + "/evil.html")
for where in "", "#site-0", "#site-1":
    b.js("location.hash = arguments[0]", where)
    b.js("return new Promise(done => setTimeout(done, 0))")
    assert b.js("return document.images.length") == 0
    assert b.js("return document.querySelectorAll('script').length") == 2
assert "</script><img" in b.js("return document.querySelector('#table').textContent")
assert b.complaints() == [], b.complaints()
assert [url for url in b.requests() if not url.startswith(("chrome://", "file://", "data:"))] == []
# Even what got in would not run.
b.js("const s = document.createElement('script'); s.textContent = 'window.ran = 1'; document.body.append(s)")
assert b.js("return window.ran === undefined")
END2
exit $failed
