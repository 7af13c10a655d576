#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# In light and dark all text of a page stands out from what is behind it (WCAG AA); a screen of 360 pixels is wide enough; Tab reaches all
# that can be used, shows where it is, and each has a name; paper has the first rows and says so.
. "$(dirname "$0")/lib.sh"
make_tape wide --lossy --sites 40
page wide
look <<'END2'
import os
page = os.getcwd() + "/wide.html"
settle = lambda: b.js("return new Promise(done => setTimeout(done, 0))")
FAINT = """
const luminance = (rgb) => rgb.map((n) => n / 255).map((n) => n <= 0.03928 ? n / 12.92 : ((n + 0.055) / 1.055) ** 2.4)
	.reduce((sum, n, i) => sum + n * [0.2126, 0.7152, 0.0722][i], 0);
const parts = (color) => color.match(/[\\d.]+/g).map(Number);
const faint = [];
let nr = 0;
for (const element of document.querySelectorAll("body *")) {
	if (!element.checkVisibility() || element.closest("svg, script, .tip, :disabled") ||
		![...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()))
		continue;
	let behind = element;
	while (behind && parts(getComputedStyle(behind).backgroundColor)[3] === 0)
		behind = behind.parentElement;
	const pair = [getComputedStyle(element).color, getComputedStyle(behind).backgroundColor].map((c) => luminance(parts(c).slice(0, 3)));
	const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
	nr++;
	if (ratio < 4.5)
		faint.push([element.tagName, element.className, element.textContent.slice(0, 30), ratio]);
}
return [nr, faint];"""
for scheme in "light", "dark":
    b.color_scheme(scheme)
    for where in "", "#site-0":
        b.open(page + where)
        settle()
        nr, faint = b.js(FAINT)
        assert nr > 50 and faint == [], (scheme, where, nr, faint)

# A telephone
b.devtools("Emulation.setDeviceMetricsOverride", width=360, height=740, deviceScaleFactor=1, mobile=False)
for where in "", "#site-0":
    b.open(page + where)
    settle()
    wide = b.js("""return [document.documentElement.scrollWidth, ...[...document.querySelectorAll("svg")].filter((svg) =>
        svg.checkVisibility() && !svg.closest(".scroll")).map((svg) => svg.getBoundingClientRect().right)]""")
    assert len(wide) > 1 and max(wide) <= 360, (where, wide)
    drawn = b.js("""return [...document.querySelectorAll("svg[tabindex]")].filter((svg) => svg.checkVisibility()).map((svg) =>
        svg.viewBox.baseVal.width / svg.getBoundingClientRect().width)""")
    assert len(drawn) == 1 and abs(drawn[0] - 1) < 0.02, (where, drawn)
b.devtools("Emulation.clearDeviceMetricsOverride")
b.open(os.getcwd() + "/look.py")
b.open(page + "#site-0")
settle()
assert b.js("const svg = document.querySelector('#site svg'); return svg.viewBox.baseVal.width / svg.getBoundingClientRect().width") > 0.98

# Keys alone: of the flame graph one block, from which arrow keys go on.
b.open(page)
wanted = b.js("""return [...document.querySelectorAll("button, input, a[href], [tabindex='0']")].filter((e) =>
    e.checkVisibility() && !e.disabled && e.tabIndex >= 0).length""")
seen = []
for _ in range(wanted):
    b.keys("Tab")
    seen.append(b.js("""const e = document.activeElement, style = getComputedStyle(e);
        window.seen = window.seen || new Set(); window.seen.add(e);
        return [e.tagName, e.getAttribute("aria-label") || e.textContent.trim() || e.closest("label")?.textContent || "",
            style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2]"""))
assert b.js("return window.seen.size") == wanted and wanted > 40, (b.js("return window.seen.size"), wanted)
assert [one for one in seen if one[0] == "BODY" or not one[1] or not one[2]] == [], seen
b.js("location.hash = '#site-1'")
settle()
b.keys("Tab")
assert "overview" in b.js("return document.activeElement.textContent")

# Paper
b.open(page)
rows = lambda: b.js("return [...document.querySelectorAll('#table tbody tr')].filter(r => r.checkVisibility()).length")
assert rows() == 44, rows()
b.devtools("Emulation.setEmulatedMedia", media="print")
assert rows() == 30, rows()
assert "The first 30 of 44 rows" in b.js("return document.querySelector('#rows').innerText")
b.js("const i = document.querySelector('[data-filter=table]'); i.value = 'many'; i.dispatchEvent(new Event('input'))")
assert rows() == 30, rows()
assert "The first 30 of 40 rows" in b.js("return document.querySelector('#rows').innerText")
END2
exit $failed
