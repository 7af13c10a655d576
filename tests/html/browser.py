# SPDX-License-Identifier: GPL-2.0-only
"""A headless Chromium, driven by chromedriver over HTTP: nothing but Python and Debian's packages chromium and
chromium-driver is needed. A page that is opened must not complain, and must not ask for anything beside itself."""
import base64
import json
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--force-color-profile=srgb", "--hide-scrollbars"]
KEYS = {"Enter": "\ue007", "Escape": "\ue00c", "Backspace": "\ue003", "Left": "\ue012", "Up": "\ue013", "Right": "\ue014",
        "Down": "\ue015", "Tab": "\ue004"}


class Browser:
    def __init__(self, width=1200, height=900):
        for program in "chromium", "chromedriver":
            if not shutil.which(program):
                print(f"no {program} here")
                sys.exit(77)
        self.profile = tempfile.TemporaryDirectory()
        self.driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for line in self.driver.stdout:
            match = re.search(r"started successfully on port (\d+)", line)
            if match:
                break
        self.session = f"http://127.0.0.1:{match[1]}/session"
        wanted = {"browserName": "chrome", "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
                  "goog:chromeOptions": {"binary": shutil.which("chromium"),
                                         "args": FLAGS + [f"--user-data-dir={self.profile.name}", f"--window-size={width},{height}"]}}
        answer = self.call("POST", "", {"capabilities": {"alwaysMatch": wanted}})
        self.session += "/" + answer["sessionId"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.call("DELETE", "")
        finally:
            self.driver.terminate()
            self.driver.wait()
            self.profile.cleanup()

    def call(self, method, path, body=None):
        request = urllib.request.Request(self.session + path, method=method, headers={"Content-Type": "application/json"},
                                         data=None if method != "POST" else json.dumps(body or {}).encode())
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=120) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{path}: {error.read()[:600]}") from None

    def open(self, path):
        self.call("POST", "/url", {"url": f"file://{path}"})

    def js(self, script, *args):
        """What `script` returns in the page."""
        return self.call("POST", "/execute/sync", {"script": script, "args": list(args)})

    def devtools(self, command, **params):
        return self.call("POST", "/goog/cdp/execute", {"cmd": command, "params": params})

    def keys(self, *keys):
        """Pressed and let go, one after the other, by whatever has the focus."""
        actions = [{"type": kind, "value": KEYS.get(key, key)} for key in keys for kind in ("keyDown", "keyUp")]
        self.call("POST", "/actions", {"actions": [{"type": "key", "id": "keys", "actions": actions}]})

    def point(self, selector, click=False):
        """The mouse goes to the middle of an element."""
        x, y = self.js("const e = document.querySelector(arguments[0]); e.scrollIntoView({block: 'center'});"
                       "const b = e.getBoundingClientRect(); return [b.left + b.width / 2, b.top + b.height / 2];", selector)
        actions = [{"type": "pointerMove", "x": round(x), "y": round(y)}]
        if click:
            actions += [{"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}]
        self.call("POST", "/actions", {"actions": [{"type": "pointer", "id": "mouse", "actions": actions}]})

    def color_scheme(self, name):
        self.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def complaints(self):
        """What the console has said since it was asked last."""
        return [entry["message"] for entry in self.call("POST", "/se/log", {"type": "browser"}) if entry["level"] != "DEBUG"]

    def requests(self):
        """The addresses that were asked for since it was asked last."""
        events = [json.loads(entry["message"])["message"] for entry in self.call("POST", "/se/log", {"type": "performance"})]
        return [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]

    def screenshot(self, path, whole=False):
        clip = {}
        if whole:
            size = self.devtools("Page.getLayoutMetrics")["cssContentSize"]
            clip = {"captureBeyondViewport": True,
                    "clip": {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}}
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.devtools("Page.captureScreenshot", format="png", **clip)["data"]))

    def pdf(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.devtools("Page.printToPDF", printBackground=True)["data"]))
