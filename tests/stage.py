#!/usr/bin/env python3
"""Something to record: a window over the whole screen that moves and flashes, beeps with the flashes, and a hand.

  stage.py --truth FILE [--secs N] [--act] [--sound-only]

About every two seconds, never in step with the recorder's pace, a corner of the window turns white for 200 ms while a
tone of 1 kHz sounds on the default sink. With --act a pointer moves, clicks, turns the wheel and types, through XTEST;
--sound-only leaves the screen alone. The truth goes to FILE as lines of JSON with CLOCK_MONOTONIC nanoseconds:
{"flash": at}, {"beep": at}, {"click": at, "x": x, "y": y}, {"wheel": at}, {"typed": at, "chars": n}, {"key": at,
"name": name}. Needs python3-xlib and PulseAudio's libpulse-simple.
"""
import argparse
import array
import json
import math
import pathlib
import sys
import threading
import time

from Xlib import X, XK, display
from Xlib.ext import xtest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "demo"))
import sound  # noqa: E402

EVERY, FLASH = 2_013_000_000, 200_000_000
TICK = 1 / 30


def now():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


class Truth:
    def __init__(self, path):
        self.file, self.lock = open(path, "w", buffering=1), threading.Lock()

    def tell(self, **row):
        with self.lock:
            self.file.write(json.dumps(row) + "\n")


def beep(truth, begin, end):
    """One endless stream of quiet hum, with a tone at each flash."""
    stream, written, told = sound.Stream(), 0, None
    block_nanos = sound.BLOCK * 1_000_000_000 // sound.RATE
    while now() < end:
        heard = stream.heard_at()
        samples = array.array("h", bytes(2 * sound.BLOCK))
        for i in range(sound.BLOCK):
            at = heard + i * 1_000_000_000 // sound.RATE - begin
            samples[i] = 60 if i % 2 else -60
            if at >= 0 and at % EVERY < FLASH:
                samples[i] = round(12000 * math.sin(2 * math.pi * 1000 * (at % EVERY) / 1e9))
        first = -(-(heard - begin) // EVERY) * EVERY + begin
        if heard <= first < heard + block_nanos and first != told and first >= begin:
            told = first
            truth.tell(beep=first)
        stream.write(samples)
        written += 1
    stream.close()


def act(truth, end, width, height):
    hand = display.Display()

    def send(kind, detail=0, x=0, y=0):
        xtest.fake_input(hand, kind, detail, x=x, y=y)
        hand.sync()

    def code(name):
        return hand.keysym_to_keycode(XK.string_to_keysym(name))

    turn = 0
    while now() < end:
        turn += 1
        x, y = 100 + turn * 137 % (width - 300), 150 + turn * 91 % (height - 200)
        for i in range(1, 13):
            send(X.MotionNotify, x=x - 4 * (12 - i), y=y - 2 * (12 - i))
            time.sleep(0.016)
        truth.tell(click=now(), x=x, y=y)
        send(X.ButtonPress, 1)
        time.sleep(0.08)
        send(X.ButtonRelease, 1)
        time.sleep(0.6)
        truth.tell(wheel=now())
        send(X.ButtonPress, 5)
        send(X.ButtonRelease, 5)
        time.sleep(0.7)
        for letter in "shoes":
            send(X.KeyPress, code(letter))
            time.sleep(0.03)
            send(X.KeyRelease, code(letter))
            time.sleep(0.05)
        truth.tell(typed=now(), chars=5)
        time.sleep(0.3)
        truth.tell(key=now(), name="Enter")
        send(X.KeyPress, code("Return"))
        time.sleep(0.04)
        send(X.KeyRelease, code("Return"))
        time.sleep(0.8)


def show(truth, begin, end):
    screen_display = display.Display()
    screen = screen_display.screen()
    width, height = screen.width_in_pixels, screen.height_in_pixels
    window = screen.root.create_window(0, 0, width, height, 0, screen.root_depth, X.InputOutput, X.CopyFromParent,
                                       background_pixel=0x203040, event_mask=X.ExposureMask | X.ButtonPressMask | X.KeyPressMask)
    window.set_wm_name("Stage")
    window.map()
    screen_display.sync()
    time.sleep(0.5)
    pen = window.create_gc(foreground=0xffffff, background=0x203040)
    font = screen_display.open_font("fixed")
    pen.change(font=font)
    white, tick = False, 0
    while now() < end:
        at = now() - begin
        flash = at >= 0 and at % EVERY < FLASH
        if flash != white:
            white = flash
            pen.change(foreground=0xffffff if white else 0x000000)
            window.fill_rectangle(pen, 0, 0, 64, 64)
            screen_display.sync()
            if white:
                truth.tell(flash=now())
        tick += 1
        pen.change(foreground=0x203040)
        window.fill_rectangle(pen, 80, 0, width - 80, 120)
        pen.change(foreground=0xf0c828)
        window.fill_rectangle(pen, 80 + tick * 9 % (width - 240), 10, 100, 60)
        pen.change(foreground=0xffffff, background=0x203040)
        window.image_text(pen, 90, 100, f"picture {tick} of the stage, at {at / 1e9:.3f} s".encode())
        screen_display.sync()
        while screen_display.pending_events():
            screen_display.next_event()
        # Up to the next tick, but never past the next change of the flash.
        edge = FLASH - at % EVERY if at % EVERY < FLASH else EVERY - at % EVERY
        time.sleep(min(TICK, max(edge, 100_000) / 1e9))


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--truth", required=True)
    arguments.add_argument("--secs", type=float, default=3600)
    arguments.add_argument("--act", action="store_true")
    arguments.add_argument("--sound-only", action="store_true")
    options = arguments.parse_args()
    truth = Truth(options.truth)
    begin = now() + 1_000_000_000
    end = now() + int(options.secs * 1e9)
    screen = display.Display().screen()
    workers = [threading.Thread(target=beep, args=(truth, begin, end), daemon=True, name="beep")]
    if options.act:
        workers.append(threading.Thread(target=act, args=(truth, end, screen.width_in_pixels, screen.height_in_pixels),
                                        daemon=True, name="hand"))
    for worker in workers:
        worker.start()
    if options.sound_only:
        workers[0].join()
    else:
        show(truth, begin, end)


if __name__ == "__main__":
    main()
