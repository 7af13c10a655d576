#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-only
"""Usage: embed.py OUT.c STYLE.css SCRIPT.js...: what an HTML report consists of, as C."""
import base64
import hashlib
import sys


def literal(text):
    escape = {"\\": "\\\\", '"': '\\"', "\t": "\\t", "?": "\\?"}
    return "\n".join('\t"' + "".join(escape.get(c, c) for c in line) + '\\n"' for line in text.splitlines())


out, style, *scripts = sys.argv[1:]
css = open(style, encoding="ascii").read()
script = '"use strict";\n(() => {\n' + "".join(open(name, encoding="ascii").read() for name in scripts) + "})();\n"
if "</" in css or "</script" in script or "<!--" in script:
    sys.exit("embed.py: what would end its element")
digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
with open(out, "w", encoding="ascii") as file:
    file.write('#include "html-parts.h"\n')
    for name, text in ("style", css), ("script", script):
        file.write(f"\nconst char kmt_html_{name}[] =\n{literal(text)};\n")
    file.write(f'\nconst char kmt_html_script_hash[] = "sha256-{digest}";\n')
