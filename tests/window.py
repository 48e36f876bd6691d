#!/usr/bin/env python3
"""A worker at the recorder's real window, by WebDriver: joins with an invite, records a take, sends it in.

  window.py --driver URL --app PROGRAM --invite LINK --secs N --shots DIR

Takes a picture of each screen into --shots. Ends with 0 when the take was sent in and stands in the list; prints the
stage that the list shows.
"""
import argparse
import base64
import json
import pathlib
import time
import urllib.error
import urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
PATIENCE_SECS = 60


class Window:
    def __init__(self, driver, app, arguments, shots):
        self.driver, self.shots, self.count = driver, pathlib.Path(shots), 0
        self.shots.mkdir(parents=True, exist_ok=True)
        options = {"binary": app, "args": arguments}
        wanted = {"capabilities": {"alwaysMatch": {"webkitgtk:browserOptions": options}}}
        self.session = until("the driver opens the window", lambda: self.ask("POST", "/session", wanted))["sessionId"]

    def ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.driver + path, data, {"content-type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_SECS) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise LookupError(json.load(error)["value"]["message"]) from error

    def tell(self, method, path, body=None):
        return self.ask(method, f"/session/{self.session}{path}", body)

    def find(self, test_id):
        """The shown element with that test id."""
        search = {"using": "css selector", "value": f'[data-testid="{test_id}"]'}
        found = until(f"{test_id} is shown", lambda: self.tell("POST", "/element", search))
        return found[ELEMENT]

    def click(self, test_id):
        until(f"{test_id} can be clicked", lambda: self.tell("POST", f"/element/{self.find(test_id)}/click", {}) or True)

    def type(self, test_id, text):
        self.tell("POST", f"/element/{self.find(test_id)}/value", {"text": text})

    def text(self, test_id):
        return self.tell("GET", f"/element/{self.find(test_id)}/text")

    def attribute(self, test_id, name):
        return self.tell("GET", f"/element/{self.find(test_id)}/attribute/{name}")

    def has(self, test_id):
        search = {"using": "css selector", "value": f'[data-testid="{test_id}"]'}
        return bool(self.tell("POST", "/elements", search))

    def is_well(self, part):
        search = {"using": "css selector", "value": f'[data-testid="finding"][data-part="{part}"]'}
        found = self.tell("POST", "/element", search)[ELEMENT]
        if self.tell("GET", f"/element/{found}/attribute/data-well") != "true":
            raise SystemExit(self.tell("GET", f"/element/{found}/text"))
        return True

    def run(self, script):
        return self.tell("POST", "/execute/sync", {"script": script, "args": []}) or 0

    def shoot(self, name):
        # The picture is of what was painted last, which may still be the screen before.
        painted = "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 50)))"
        self.tell("POST", "/execute/async", {"script": painted, "args": []})
        self.count += 1
        picture = self.tell("GET", "/screenshot")
        (self.shots / f"{self.count:02d}-{name}.png").write_bytes(base64.b64decode(picture))

    def close(self):
        self.tell("DELETE", "")


def until(what, ask, secs=PATIENCE_SECS):
    """Asks again until there is an answer that counts."""
    end, last = time.monotonic() + secs, None
    while time.monotonic() < end:
        try:
            answer = ask()
            if answer:
                return answer
        except (LookupError, OSError) as error:
            last = error
        time.sleep(0.1)
    raise SystemExit(f"Waited {secs} s in vain until {what}. {last or ''}")


def join(window):
    window.find("connect")
    window.shoot("invite")
    window.click("connect")
    window.find("agree")
    window.click("agree")
    window.type("name", "Ada Example")
    window.type("fiverr-user", "ada_example")
    window.shoot("consent")
    window.click("join")
    window.find("goal")
    window.shoot("goals")


def record(window, secs):
    window.click("record")
    window.find("microphone")
    window.click("preflight")
    for part in ("screen", "encoder", "disk", "network"):
        until(f"the check says that the {part} is well", lambda: window.is_well(part))
    window.click("listen")
    until("the microphone was heard", lambda: window.is_well("microphone"))
    until("what it heard can be played", lambda: 4 < window.run("return document.querySelector('audio')?.duration ?? 0") < 7)
    window.shoot("ready")
    window.click("start")
    window.find("clock")
    until("the take runs for long enough", lambda: seconds(window.text("clock")) >= secs, PATIENCE_SECS + secs)
    until("the meter hears something", lambda: float(window.attribute("level", "data-peak") or -200) > -60)
    window.shoot("recording")
    window.click("pause")
    until("it says that it is paused", lambda: window.text("pause") == "Go on")
    window.shoot("paused")
    window.click("pause")
    until("it goes on", lambda: window.text("pause") == "Pause")
    window.click("stop")
    until("the take is judged", lambda: window.attribute("verdict", "data-verdict"))
    window.shoot("result")
    window.click("cut")
    window.type("cut-from", "0:02")
    window.type("cut-to", "0:03")
    window.shoot("cutting")
    window.click("cut-yes")
    until("it is cut", lambda: not window.has("cut-yes"))
    window.shoot("cut")


def seconds(clock):
    minutes, secs = clock.split(":")
    return 60 * int(minutes) + int(secs)


def send(window):
    window.click("submit")
    window.shoot("sending")
    stage = until("the take is in the list", lambda: window.attribute("submission", "data-stage"))
    window.shoot("status")
    return stage


def main():
    parser = argparse.ArgumentParser()
    for name in ("driver", "app", "invite", "shots"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--secs", type=int, required=True)
    args = parser.parse_args()
    window = Window(args.driver, args.app, [args.invite], args.shots)
    try:
        join(window)
        record(window, args.secs)
        print(send(window))
    finally:
        window.shoot("end")
        window.close()


if __name__ == "__main__":
    main()
