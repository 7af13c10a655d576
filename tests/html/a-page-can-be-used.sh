#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# `replay --format html` in a real browser: it says what leaks, since when, and how sure that is; asks for nothing but itself; sorts,
# filters, zooms, shows what is pointed at, is used by keys alone, is light and dark, and has a page for each site.
. "$(dirname "$0")/lib.sh"
make_tape lossy --lossy
page lossy
for threads in 0 3; do
	"$KMEMTAPE" replay --format html --threads $threads lossy | cmp - lossy.html || fail "other bytes with $threads threads"
done

look <<'END2'
import os
page = os.getcwd() + "/lossy.html"
b.requests()
b.open(page)
text = lambda selector: b.js("return document.querySelector(arguments[0]).innerText", selector)
names = lambda: b.js("return [...document.querySelectorAll('#table tbody tr')].filter(r => !r.hidden).map(r => r.cells[0].innerText)")
shown = lambda selector: b.js("return document.querySelector(arguments[0]).checkVisibility()", selector)

# The first sentence: what, since when, how sure.
for word in "leaky_rx_alloc", "[leaky]", "leaks +", "since", "after the start", "UTC", "confidence 0.":
    assert word in text("h1"), (word, text("h1"))
assert "5000 events" in text(".doubts .loss"), text(".doubts")
assert "SUnreclaim" in text("#bill")

# Layers, the kernel's lines, the loss; by keys and by mouse.
assert b.js("return document.querySelectorAll('#time .layer').length") == 4
assert b.js("return document.querySelectorAll('#time .counter').length") >= 1
assert b.js("return document.querySelectorAll('#time .loss-band').length") in (1, 2)
b.point("#time svg")
assert "leaky_rx_alloc" in text(".tip") and "(kernel)" in text(".tip"), text(".tip")
b.js("document.querySelector('#time svg').focus()")
b.keys("Left")
assert "after the start" in text(".tip")
b.point('[data-by="module"]', click=True)
assert "(built in)" in text("#time .legend") and "leaky" in text("#time .legend")

# The flame graph
width = lambda: b.js("return [...document.querySelectorAll('.flame button')].find(e => e.textContent === 'd_alloc_parallel').offsetWidth")
narrow = width()
b.js("[...document.querySelectorAll('.flame button')].find(e => e.textContent === 'path_openat').setAttribute('id', 'aim')")
b.point("#aim")
assert "path_openat" in text(".tip") and "% of all" in text(".tip"), text(".tip")
b.point("#aim", click=True)
assert width() > 3 * narrow
b.js("document.querySelector('.flame [tabindex=\"0\"]').focus()")
b.keys("Down")
assert "d_alloc" in b.js("return document.activeElement.textContent")
b.keys("Escape")
assert width() == narrow

# The table
assert names()[0].startswith("leaky_rx_alloc"), names()
b.point("#table th:nth-child(1) button", click=True)
assert names() == sorted(names(), key=str.lower), names()
b.point("#table th:nth-child(6) button", click=True)
objects = b.js("return [...document.querySelectorAll('#table tbody tr')].map(r => Number(r.cells[5].dataset.v))")
assert objects == sorted(objects, reverse=True) and len(objects) == 4, objects
b.js("document.activeElement.blur()")
b.keys("/", *"dentry")
assert [name.split("+")[0] for name in names()] == ["__d_alloc"], names()

# A page for each site
b.js("location.hash = '#site-0'")
b.js("return new Promise(done => setTimeout(done, 0))")
assert not shown("#overview") and shown("#site")
for word in "Allocated by", "nginx 42", "Freed by", "kfree_skbmem", "Oldest live objects", "Ages", "leaky_poll", "4.00 KiB":
    assert word in text("#site"), word
b.keys("Escape")
b.js("return new Promise(done => setTimeout(done, 0))")
assert shown("#overview") and not shown("#site")

# Light and dark
ink = lambda: b.js("return getComputedStyle(document.body).backgroundColor")
b.color_scheme("light")
light = ink()
b.color_scheme("dark")
assert ink() != light
b.point("#theme", click=True)
assert ink() == light
assert b.complaints() == [], b.complaints()
asked = [url for url in b.requests() if not url.startswith("chrome://")]
assert [url for url in asked if "://" in url] == ["file://" + page], asked

# Without JavaScript
b.devtools("Emulation.setScriptExecutionDisabled", value=True)
b.open(page)
tree = str(b.devtools("Accessibility.getFullAXTree"))
for word in "leaky_rx_alloc", "Memory bill", "__d_alloc", "5000 events":
    assert word in tree, word
END2
exit $failed
