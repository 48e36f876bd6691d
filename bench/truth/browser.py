"""A headless Chromium that is driven through a pipe (the DevTools protocol) and hands over pictures of its pages.

Nothing is looked up outside this machine. Pages are pictures of one moment: there is no clock in them, so the same
pages give the same pictures however busy the machine is.
"""
import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

FLAGS = ["--headless=new", "--remote-debugging-pipe", "--no-first-run", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
         "--disable-extensions", "--disable-component-update", "--disable-background-networking", "--disable-sync", "--mute-audio",
         "--disable-default-apps", "--disable-breakpad", "--no-proxy-server", "--lang=en-US", "--force-device-scale-factor=1",
         "--font-render-hinting=none", "--password-store=basic", "--disable-features=Translate,MediaRouter,OptimizationHints,HttpsUpgrades"]

PATIENCE_SECS = 60


class Browser:
    def __init__(self, ports):
        """`ports`: {host name: port on loopback}."""
        program = next((path for path in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if path), None)
        if not program:
            raise RuntimeError("no Chromium was found: install the package chromium")
        self.profile = tempfile.mkdtemp(prefix="truth-browser.")
        rules = ", ".join([f"MAP {host} 127.0.0.1:{port}" for host, port in ports.items()] + ["MAP * ~NOTFOUND", "EXCLUDE 127.0.0.1"])
        to_read, self.write_end = os.pipe()
        self.read_end, to_write = os.pipe()
        sandbox = ["--no-sandbox"] if os.getuid() == 0 else []

        def hand_over():
            # The protocol's ends are descriptors 3 and 4; copies above both first, so that neither overwrites the other.
            a, b = os.dup(to_read), os.dup(to_write)
            high_a, high_b = os.dup2(a, 20), os.dup2(b, 21)
            os.dup2(high_a, 3)
            os.dup2(high_b, 4)

        self.process = subprocess.Popen(
            [program, *FLAGS, *sandbox, f"--user-data-dir={self.profile}", f"--host-resolver-rules={rules}", "about:blank"],
            env={**os.environ, "HOME": self.profile}, preexec_fn=hand_over, close_fds=False, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(to_write)
        self.rest, self.count, self.events = b"", 0, []

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.write_end)
        os.close(self.read_end)
        shutil.rmtree(self.profile, ignore_errors=True)

    def receive(self):
        while b"\0" not in self.rest:
            if not select.select([self.read_end], [], [], PATIENCE_SECS)[0]:
                raise RuntimeError(f"Chromium said nothing for {PATIENCE_SECS} s")
            data = os.read(self.read_end, 1 << 20)
            if not data:
                raise RuntimeError("Chromium ended unexpectedly")
            self.rest += data
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, session=None, **params):
        self.count += 1
        request = {"id": self.count, "method": method, "params": params, **({"sessionId": session} if session else {})}
        os.write(self.write_end, json.dumps(request).encode() + b"\0")
        while True:
            message = self.receive()
            if message.get("id") == self.count:
                if "error" in message:
                    raise RuntimeError(f"Chromium refused {method}: {message['error']['message']}")
                return message["result"]
            self.events.append(message)

    def wait_event(self, method, session):
        while True:
            while self.events:
                message = self.events.pop(0)
                if message.get("method") == method and message.get("sessionId") == session:
                    return
            self.events.append(self.receive())


class Page:
    """One tab of a fixed size."""

    def __init__(self, browser, width, height):
        self.browser, self.width, self.height = browser, width, height
        target = browser.call("Target.createTarget", url="about:blank", newWindow=True)["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def call(self, method, **params):
        return self.browser.call(method, self.session, **params)

    def open(self, url):
        self.browser.events.clear()
        self.call("Page.navigate", url=url)
        self.browser.wait_event("Page.loadEventFired", self.session)

    def run(self, script):
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"a script of the page failed: {answer['exceptionDetails'].get('exception', {}).get('description')}")
        return answer["result"].get("value")

    def settle(self):
        """Waits until a press has had its effect: a new page is loaded, or the old one has had its turn."""
        deadline, quiet = time.monotonic() + PATIENCE_SECS, 0
        while quiet < 3:
            try:
                quiet = quiet + 1 if self.run("new Promise(done => setTimeout(() => done(document.readyState), 60))") == "complete" else 0
            except RuntimeError:
                quiet = 0
                if time.monotonic() > deadline:
                    raise

    def press(self, x, y):
        """A real press of the button, which moves the focus and follows links."""
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def hover(self, x, y):
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def picture(self):
        """RGB bytes of the tab."""
        # A tab behind another is not drawn.
        self.call("Page.bringToFront")
        shot = self.call("Page.captureScreenshot", format="png", optimizeForSpeed=True)
        decoded = subprocess.run(["ffmpeg", "-nostdin", "-loglevel", "error", "-f", "png_pipe", "-i", "-", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"],
                                 input=base64.b64decode(shot["data"]), capture_output=True, check=True).stdout
        if len(decoded) != self.width * self.height * 3:
            raise RuntimeError("Chromium's picture has not the size of the tab")
        return decoded
