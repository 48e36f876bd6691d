#!/usr/bin/env python3
"""A window whose corner changes between black and white at each click, as soon as the click reaches it, and a hand that
clicks it.

  click.py COUNT

Clicks COUNT times through XTEST, never in step with a recorder's pace. Needs python3-xlib.
"""
import sys
import threading
import time

from Xlib import X, display
from Xlib.ext import xtest


def click(count):
    hand = display.Display()
    for number in range(count):
        time.sleep(0.737 + 0.0131 * (number % 11))
        xtest.fake_input(hand, X.MotionNotify, x=200 + number % 7 * 90, y=300)
        xtest.fake_input(hand, X.ButtonPress, 1)
        hand.sync()
        time.sleep(0.06)
        xtest.fake_input(hand, X.ButtonRelease, 1)
        hand.sync()


def main():
    count = int(sys.argv[1])
    screen_display = display.Display()
    screen = screen_display.screen()
    window = screen.root.create_window(0, 0, screen.width_in_pixels, screen.height_in_pixels, 0, screen.root_depth,
                                       X.InputOutput, X.CopyFromParent, background_pixel=0x203040,
                                       event_mask=X.ExposureMask | X.ButtonPressMask)
    window.set_wm_name("Clicks")
    window.map()
    pen = window.create_gc(foreground=0)
    screen_display.sync()
    threading.Thread(target=click, args=(count,), daemon=True).start()
    white, clicks = False, 0
    while clicks < count:
        event = screen_display.next_event()
        if event.type == X.ButtonPress:
            white, clicks = not white, clicks + 1
        pen.change(foreground=0xffffff if white else 0)
        window.fill_rectangle(pen, 0, 0, 128, 128)
        screen_display.sync()
    time.sleep(1)


if __name__ == "__main__":
    main()
