#!/usr/bin/env python3
"""A worker at the recorder's real window, by WebDriver: joins with an invite, records two takes, one of a whole screen that
is sent meanwhile and one of a single window, lets them wait while the server does not answer, changes their order, sends
them in, agrees twice to a text of consent that was renewed, withdraws, and has everything erased.

  window.py --driver URL --app PROGRAM --invite LINK --secs N --shots DIR --server-pid PID --database FILE --program CLASS \
            --data DIR --keep DIR

PID is the server's, which is halted for a while; FILE its database, in which the text that was agreed to is made an old one
twice. DIR after --data is the recorder's folder, of which the one after --keep becomes a copy before all is erased. CLASS is that of a program with a window on the screen. Takes a picture
of each screen into --shots, of the fullest ones also in a small window. Ends with 0 when both takes stand in the list;
prints the stages that the list shows.
"""
import argparse
import base64
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import time
import urllib.error
import urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
PATIENCE_SECS = 60
# Those of window.toml.
FIRST_GOAL = "Find black running shoes under $100"
OTHER_GOAL = "Find a desk lamp that can be dimmed"


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

    def click(self, test_id, within=""):
        """The first one with that test id; `within` narrows it down by more of a selector."""
        selector = f'[data-testid="{test_id}"]{within}'
        search = {"using": "css selector", "value": selector}
        press = lambda: self.tell("POST", f"/element/{self.tell('POST', '/element', search)[ELEMENT]}/click", {}) or True
        until(f"{selector} can be clicked", press)

    def choose(self, test_id, text):
        """The first choice whose words hold the text."""
        options = self.run(f"return [...document.querySelector('[data-testid=\"{test_id}\"]').options].map((one) => one.text)")
        place = next(place for place, option in enumerate(options) if text in option)
        search = {"using": "css selector", "value": f'[data-testid="{test_id}"] option'}
        option = self.tell("POST", "/elements", search)[place][ELEMENT]
        self.tell("POST", f"/element/{option}/click", {})

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

    def shoot_small(self, name):
        whole = self.tell("GET", "/window/rect")
        self.tell("POST", "/window/rect", {"width": 480, "height": 640})
        self.shoot(f"{name}-small")
        self.tell("POST", "/window/rect", whole)

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
    window.shoot_small("goals")


def renew_text(database):
    """Until they agree anew, all have agreed to an older text than the one in force."""
    with sqlite3.connect(database, timeout=PATIENCE_SECS) as connection:
        connection.execute("update consent set version = '2000-01'")
    connection.close()


def agree_again(window, name):
    window.find("screen-consent-again")
    window.find("agree")
    window.shoot(name)
    window.click("agree")
    window.click("join")


def check_all(window):
    window.click("preflight")
    for part in ("screen", "encoder", "input", "disk", "network"):
        until(f"the check says that the {part} is well", lambda: window.is_well(part))
    window.click("listen")
    until("the microphone was heard", lambda: window.is_well("microphone"))
    until("what it heard can be played", lambda: 4 < window.run("return document.querySelector('audio')?.duration ?? 0") < 7)


def record(window, secs):
    window.click("start")
    window.find("clock")
    until("the take runs for long enough", lambda: seconds(window.text("clock")) >= secs, PATIENCE_SECS + secs)
    until("the meter hears something", lambda: float(window.attribute("level", "data-peak") or -200) > -60)


def stop(window):
    window.click("stop")
    until("the take is judged", lambda: window.attribute("verdict", "data-verdict"))


def hidden(window):
    return window.run("return document.querySelector('[data-testid=hide] summary').textContent")


def tick(window, program):
    script = f"return [...document.querySelectorAll('label.tick')].some((one) => one.textContent === '{program}' && (one.click(), true))"
    until(f"{program} can be hidden", lambda: window.run(script))


def record_screen(window, secs, program, database):
    """Of the whole screen but one program, sent meanwhile, with a pause and a cut, after the consent was given anew."""
    window.click("record", f'[aria-label="Record: {FIRST_GOAL}"]')
    window.find("microphone")
    named = window.run("return document.querySelector('[data-testid=microphone]').selectedOptions[0].textContent")
    if not named.startswith("System default ("):
        raise SystemExit(f"The microphone is {named}, and not the one that the system uses.")
    renew_text(database)
    window.click("start")
    agree_again(window, "consent-again")
    window.find("microphone")
    if "Your disk has room for" not in window.text("room"):
        raise SystemExit("It is not said how much fits on the disk.")
    window.run("document.querySelector('[data-testid=hide] summary').click()")
    tick(window, program)
    until("it is hidden", lambda: program in hidden(window))
    window.click("sends-early")
    window.find("speed")
    window.choose("speed", "1 MB")
    check_all(window)
    in_sight = "const list = document.querySelector('[data-testid=finding]').parentElement.getBoundingClientRect(); "
    until("what the check found is in sight", lambda: window.run(in_sight + "return list.top >= 0 && list.bottom <= innerHeight"))
    window.shoot("ready")
    window.shoot_small("ready")
    record(window, secs)
    window.shoot("recording")
    window.click("pause")
    until("it says that it is paused", lambda: window.text("pause") == "Go on")
    window.shoot("paused")
    window.click("pause")
    until("it goes on", lambda: window.text("pause") == "Pause")
    stop(window)
    window.shoot("result")
    window.click("cut")
    window.type("cut-from", "0:02")
    window.type("cut-to", "0:03")
    window.shoot("cutting")
    window.click("cut-yes")
    until("it is cut", lambda: not window.has("cut-yes"))
    window.shoot("cut")


def record_window(window, secs, program):
    """Of that program's window alone, which is refused while it is hidden; what was chosen before is still chosen."""
    window.click("nav-goals")
    window.click("record", f'[aria-label="Record: {OTHER_GOAL}"]')
    window.find("microphone")
    if not window.run("return document.querySelector('[data-testid=sends-early]').checked"):
        raise SystemExit("What was chosen for the first take was forgotten.")
    window.click("sends-early")
    window.choose("screen", program)
    window.click("start")
    until("a hidden window is refused", lambda: "never to be seen" in window.text("trouble"))
    tick(window, program)
    until("it is hidden no longer", lambda: program not in hidden(window))
    window.shoot("ready-window")
    record(window, secs)
    stop(window)


def seconds(clock):
    minutes, secs = clock.split(":")
    return 60 * int(minutes) + int(secs)


def send_while_halted(window, server_pid):
    """The server does not answer; sending is paused."""
    os.kill(server_pid, signal.SIGSTOP)
    try:
        window.click("submit")
        window.find("pause")
        window.shoot("sending")
        window.click("pause")
        window.find("retry")
    finally:
        os.kill(server_pid, signal.SIGCONT)


def send(window, database):
    window.click("submit")
    queued = lambda: window.run("return [...document.querySelectorAll('[data-testid=queued] strong')].map((one) => one.textContent)") or []
    until("both takes wait", lambda: len(queued()) == 2)
    window.shoot("queue")
    window.shoot_small("queue")
    window.click("send-first")
    until("the other one is the first", lambda: queued()[0] == OTHER_GOAL)
    window.shoot("queue-changed")
    renew_text(database)
    window.click("retry")
    window.find("read-consent")
    window.shoot("consent-wanted")
    window.click("read-consent")
    agree_again(window, "consent-again-while-sending")
    listed = lambda: window.run("return [...document.querySelectorAll('[data-testid=submission]')].map((one) => one.dataset.stage)") or []
    until("both takes are in the list", lambda: len(listed()) == 2)
    window.shoot("status")
    window.click("nav-sending")
    until("nothing waits", lambda: not window.has("left"))
    window.shoot("nothing-waits")
    window.click("nav-status")
    return ", ".join(until("the list is there", listed))


def leave(window):
    """A copy of all that is kept, the withdrawal, the erasure: here too."""
    window.run("document.querySelector('[data-testid=my-data] summary').click()")
    window.click("copy-data")
    copy = pathlib.Path(until("the copy is there", lambda: window.text("copied").removeprefix("Saved.").strip()))
    kept = json.loads(copy.read_text())
    if len(kept["takes"]) != 2 or copy.stat().st_mode & 0o077:
        raise SystemExit(f"The copy in {copy} is not that of its owner alone, or lacks a take.")
    window.click("withdraw")
    window.find("withdraw-yes")
    window.shoot("withdraw")
    window.click("withdraw-yes")
    until("it is withdrawn", lambda: not window.has("withdraw-yes"))
    window.click("nav-goals")
    until("no goal can be recorded", lambda: window.has("goal") and not window.has("record"))
    window.shoot("withdrawn")
    window.click("nav-status")
    window.find("my-data")
    window.run("document.querySelector('[data-testid=my-data] summary').click()")
    window.click("erase-here")
    window.click("erase")
    window.find("erase-yes")
    window.shoot("erase")
    window.shoot_small("erase")
    window.click("erase-yes")
    window.find("screen-invite")
    window.shoot("erased")


def main():
    parser = argparse.ArgumentParser()
    for name in ("driver", "app", "invite", "shots", "program", "database", "data", "keep"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("secs", "server-pid"):
        parser.add_argument(f"--{name}", type=int, required=True)
    args = parser.parse_args()
    window = Window(args.driver, args.app, [args.invite], args.shots)
    try:
        join(window)
        record_screen(window, args.secs, args.program, args.database)
        send_while_halted(window, args.server_pid)
        record_window(window, args.secs, args.program)
        print(send(window, args.database))
        shutil.copytree(args.data, args.keep)
        leave(window)
    finally:
        window.shoot("end")
        window.close()


if __name__ == "__main__":
    main()
