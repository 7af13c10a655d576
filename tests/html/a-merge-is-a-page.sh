#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# `merge --format html` in a browser: the banner says what the text says first; names are inert; all is there without JavaScript.
. "$(dirname "$0")/lib-two.sh"
make one leak=10
make two leak=5
make lossy lost=700
report one fig
report two pear
report lossy plum
jq '.tape.started_at = "2026-03-01T23:59:30Z"' one.json >one.dated

first_sentence all merge one.dated two.json lossy.json
"$KMEMTAPE" merge --format html -o all.html one.dated two.json lossy.json || fail "exit $?"
is_inert all.html
first_sentence lossy merge lossy.json
"$KMEMTAPE" merge --format html lossy.json >lossy.html || fail "lossy: exit $?"
look <<END
$is_page
check("all", "bad", ["foo_alloc", "kmalloc-64", "2 of 3", "2026-03-01T23:59:30Z", "2026-03-02T00:00:30Z", "+2.20 MiB/h", "LOST 700 EVENTS",
                     "fig", "pear", "plum", "LEAK LIKELY", "no leak seen", "<img"])
check("lossy", "untold", ["LOST 700 EVENTS"])
END
exit $failed
