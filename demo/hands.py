"""Pointer and keyboard of the demo: real XTEST events, along curved paths with a hand's speeds and pauses.

Needs python3-xlib. Times are CLOCK_MONOTONIC nanoseconds of the press.
"""
import math
import random
import time

from Xlib import X, XK, display
from Xlib.ext import xtest

import truth

NAMED = {":": "colon", "/": "slash", ".": "period", " ": "space", "-": "minus", "$": "dollar"}


class Hands:
    def __init__(self, seed):
        self.display = display.Display()
        if not self.display.query_extension("XTEST"):
            raise RuntimeError("this display has no XTEST extension, so the demo cannot move its pointer")
        self.random = random.Random(seed)
        place = self.display.screen().root.query_pointer()
        self.x, self.y = place.root_x, place.root_y

    def event(self, kind, detail=0, x=0, y=0):
        xtest.fake_input(self.display, kind, detail, x=x, y=y)
        self.display.sync()

    def pause(self, low, high):
        time.sleep(self.random.uniform(low, high))

    def move(self, x, y):
        """A bent path with the bell-shaped speed of an arm, about 60 positions a second."""
        from_x, from_y = self.x, self.y
        distance = math.hypot(x - from_x, y - from_y)
        if distance < 1:
            return
        seconds = 0.18 + 0.11 * math.log2(1 + distance / 24) * self.random.uniform(0.85, 1.2)
        bend = distance * self.random.uniform(0.04, 0.16) * self.random.choice((-1, 1))
        side_x, side_y = -(y - from_y) / distance, (x - from_x) / distance
        began, count = time.monotonic(), max(4, int(seconds * 60))
        for i in range(1, count + 1):
            share = i / count
            along = share ** 3 * (10 - 15 * share + 6 * share ** 2)
            off = bend * math.sin(math.pi * along) + self.random.gauss(0, 0.5) * (1 - share)
            self.x = round(from_x + (x - from_x) * along + side_x * off)
            self.y = round(from_y + (y - from_y) * along + side_y * off)
            self.event(X.MotionNotify, x=self.x, y=self.y)
            time.sleep(max(0, began + seconds * share - time.monotonic()))
        self.x, self.y = x, y
        self.event(X.MotionNotify, x=x, y=y)

    def click(self):
        """Presses and lets go of the left button; returns both times."""
        self.pause(0.08, 0.2)
        pressed = truth.now()
        self.event(X.ButtonPress, 1)
        self.pause(0.06, 0.12)
        self.event(X.ButtonRelease, 1)
        return pressed, truth.now()

    def wheel(self, notches):
        """Positive turns down. Returns the times of the first and the last notch."""
        button = 5 if notches > 0 else 4
        first = last = truth.now()
        for i in range(abs(notches)):
            if i:
                self.pause(0.07, 0.16)
            last = truth.now()
            self.event(X.ButtonPress, button)
            self.event(X.ButtonRelease, button)
        return first, last

    def key(self, keysym_name, shift=False):
        code = self.display.keysym_to_keycode(XK.string_to_keysym(keysym_name))
        shift_code = self.display.keysym_to_keycode(XK.XK_Shift_L)
        if not code:
            raise ValueError(f"this keyboard has no key for {keysym_name}")
        if shift:
            self.event(X.KeyPress, shift_code)
            self.pause(0.03, 0.06)
        pressed = truth.now()
        self.event(X.KeyPress, code)
        self.pause(0.03, 0.07)
        self.event(X.KeyRelease, code)
        if shift:
            self.event(X.KeyRelease, shift_code)
        return pressed

    def type(self, text):
        """Types at an uneven pace; returns the times of the first and the last press."""
        presses = []
        for letter in text:
            if presses:
                time.sleep(min(0.4, self.random.lognormvariate(math.log(0.075), 0.5)))
            presses.append(self.key(NAMED.get(letter, letter), shift=letter.isupper() or letter in ":$"))
        return presses[0], presses[-1]
