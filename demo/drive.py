#!/usr/bin/python3
"""Plays the demo's person in the browser of the current display: opens the demo's shop, looks for shoes and talks.

  drive.py --out DIR [--seconds N] [--after FILE] [--seed N]

Serves the shop itself and asks its page where things lie; moves the real pointer and keyboard (hands.py), speaks into
the default sink of PulseAudio (sound.py), and writes what it did to DIR/truth.raw.json (truth.py).
When all is prepared it writes DIR/ready; --after FILE begins as soon as that file has bytes: the recorder's picture. Needs python3-xlib, flite and pacat, and a
browser that fills the screen.
"""
import argparse
import pathlib
import random
import sys
import time

import hands
import scenario
import shop_server
import sound
import truth

# Where the browser's own controls lie in a window that fills the screen, measured from its upper left corner.
ADDRESS = {"text": "Address and search bar", "role": "textbox", "tag": "browser-ui", "box": [120, 46, 1070, 32]}
BACK = {"text": "Back", "role": "button", "tag": "browser-ui", "box": [8, 46, 32, 32]}
STICKY_HEADER = 68


class Driver:
    def __init__(self, shop, voice, seed, record):
        self.shop, self.voice, self.record = shop, voice, record
        self.hands = hands.Hands(seed)
        self.random = random.Random(seed)
        self.typing_into = None

    # What the person sees.

    def page(self):
        return self.shop.layout or {"url": "about:blank", "title": "", "scroll_y": 0, "elements": []}

    def has(self, name):
        return any(element["name"] == name for element in self.page()["elements"])

    def settled(self, name=None, quiet=0.3):
        """The layout once nothing has moved for a while, and the named element in it."""
        deadline = time.monotonic() + 10
        while True:
            count = self.shop.count
            time.sleep(quiet)
            if self.shop.count == count and (name is None or self.has(name)):
                break
            if time.monotonic() > deadline:
                raise TimeoutError(f"the shop's page never came to rest with {name} on it")
        return next((e for e in self.page()["elements"] if e["name"] == name), None)

    def visible(self, box):
        """The part of a box that is neither below the window nor behind the page's header."""
        left, top, width, height = self.page()["view"]
        inner_top = top if box[1] < top + STICKY_HEADER else top + STICKY_HEADER
        x, y = max(box[0], left), max(box[1], inner_top)
        w, h = min(box[0] + box[2], left + width) - x, min(box[1] + box[3], top + height) - y
        if w < 12 or h < 12:
            raise RuntimeError(f"an element that the demo wants to click lies outside the window: {box}")
        return [x, y, w, h]

    # What the person does.

    def rest(self, low, high):
        time.sleep(self.random.uniform(low, high))

    def say(self, text, pause=None):
        self.voice.say(text, pause)

    def point_into(self, box, aim=None):
        """Somewhere near the middle of the box, or within a few pixels of `aim`, given as shares of its sides."""
        x, y, w, h = box
        if aim:
            self.hands.move(round(x + w * aim[0] + self.random.gauss(0, 5)), round(y + h * aim[1] + self.random.gauss(0, 2)))
            return
        near = lambda start, length: round(start + length * min(0.8, max(0.2, self.random.gauss(0.5, 0.12))))
        self.hands.move(near(x, min(w, 260)), near(y, h))

    def press(self, target, sees=None, what="a change", cause="click", aim=None):
        """Clicks on a target, waits for what the person expects to see, and records both."""
        before = self.page()
        self.point_into(target["box"], aim)
        x, y = self.hands.x, self.hands.y
        pressed, released = self.hands.click()
        row = self.record.step("click", pressed, t_end=released, x=x, y=y, button="left", target=target, url_before=before["url"])
        self.arrive(row, before, sees, what, cause)

    def arrive(self, row, before, sees, what, cause, implied=True):
        after = self.shop.wait(sees, what) if sees else self.page()
        arrived = truth.now()
        row.update(url_after=after["url"], title=after["title"])
        if after["url"] != before["url"]:
            self.record.step("navigate", arrived, url_before=before["url"], url_after=after["url"], title=after["title"],
                             cause=cause, implied=True if implied else None)

    def click(self, name, sees=None, what="a change", aim=None):
        element = dict(self.settled(name))
        element.pop("name")
        element["box"] = self.visible(element["box"])
        self.press(element, sees, what, aim=aim)
        self.typing_into = element

    def type(self, text, target=None):
        self.rest(0.2, 0.5)
        page = self.page()
        first, last = self.hands.type(text)
        self.record.step("type", first, t_end=last, x=self.hands.x, y=self.hands.y, text=text, target=target or self.typing_into,
                         url_before=page["url"], url_after=page["url"], title=page["title"])

    def enter(self, sees, what, cause="form", implied=True):
        self.rest(0.25, 0.5)
        before = self.page()
        row = self.record.step("key", self.hands.key("Return"), key="Enter", url_before=before["url"])
        self.arrive(row, before, sees, what, cause, implied)

    def leave_address_bar(self):
        """A fresh window has its address selected, and a click would only place the caret. Not part of the take."""
        self.hands.move(640, 400)
        for _ in range(2):
            self.hands.click()
            time.sleep(0.6)

    def open_address(self):
        self.press(ADDRESS)
        self.type(self.shop.address, ADDRESS)
        self.enter(lambda page: page["url"].endswith(self.shop.address + "/"), "the shop", cause="address-bar", implied=False)

    def back(self, sees, what):
        self.press(BACK, sees, what, cause="back")

    def scroll(self, over, notches):
        """Turns the wheel over an element, or where the pointer is."""
        if over:
            self.point_into(self.visible(self.settled(over)["box"]))
            self.rest(0.1, 0.3)
        before = self.page()
        first, last = self.hands.wheel(notches)
        self.settled()
        after = self.page()
        self.record.step("scroll", first, t_end=last, x=self.hands.x, y=self.hands.y, wheel_clicks=notches,
                         direction="down" if notches > 0 else "up", scroll_y_before=before["scroll_y"], scroll_y_after=after["scroll_y"],
                         dy=after["scroll_y"] - before["scroll_y"], url_before=after["url"], url_after=after["url"], title=after["title"])


def wait_for_bytes(path, seconds=60):
    deadline = time.monotonic() + seconds
    while not (path.exists() and path.stat().st_size):
        if time.monotonic() > deadline:
            raise TimeoutError(f"nothing was written to {path} within {seconds} s")
        time.sleep(0.05)


def main():
    parser = argparse.ArgumentParser(description="Plays the demo's person in the browser of the current display.")
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--seconds", type=float, default=75)
    parser.add_argument("--after", type=pathlib.Path, help="begin when this file has bytes")
    parser.add_argument("--seed", type=int, default=2024)
    args = parser.parse_args()
    if args.seconds < scenario.SHORTEST_SECONDS:
        parser.error(f"--seconds must be at least {scenario.SHORTEST_SECONDS}, or the person cannot finish a purchase")

    parts = scenario.choose(args.seconds)
    record = truth.Truth()
    voice = sound.Voice([text for part in parts for text in part.says], args.out / "voice", record.spoke)
    driver = Driver(shop_server.Shop().start(), voice, args.seed, record)
    driver.leave_address_bar()
    (args.out / "ready").touch()
    if args.after:
        wait_for_bytes(args.after)
    voice.start()
    began = time.monotonic()
    try:
        for part in parts:
            started = time.monotonic()
            part.play(driver, part.says)
            print(f"{time.monotonic() - began:6.1f} s  {part.play.__name__.replace('_', ' ')} ({time.monotonic() - started:.1f} s)", flush=True)
        voice.hush()
        driver.rest(1.2, 1.6)
    finally:
        voice.stop()
        record.write(args.out / "truth.raw.json")


if __name__ == "__main__":
    try:
        main()
    except (TimeoutError, RuntimeError, OSError) as error:
        sys.exit(f"The demo's person could not go on: {error}.")
