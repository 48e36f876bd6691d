#!/usr/bin/env python3
"""What the driver really did and said: collected on CLOCK_MONOTONIC, and moved to the recording's clock afterwards.

  truth.py --shift RAW.json --recording TAKE/recording.json --out DIR

writes DIR/truth.steps.jsonl and DIR/truth.narration.json, the form that `pipeline score` reads. The recording's
manifest says at which CLOCK_MONOTONIC nanosecond media time 0 lies (clock.first_frame_monotonic_nanos).
Standard library only.
"""
import argparse
import json
import pathlib
import sys
import time


def now():
    """Nanoseconds on the clock that the recorder stamps with."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


class Truth:
    """Rows with `t` and `t_end` in nanoseconds; `shift` turns them into seconds of the recording."""

    def __init__(self):
        self.steps, self.narration = [], []

    def step(self, action, t, **fields):
        row = {"t": t, "action": action, **{key: value for key, value in fields.items() if value is not None}}
        self.steps.append(row)
        return row

    def spoke(self, text, start, end):
        """Words share the sentence's time by their length: good for a transcript's words, not for their edges."""
        words = text.split()
        letters = sum(len(word) + 1 for word in words)
        at, rows = start, []
        for word in words:
            after = at + (end - start) * (len(word) + 1) // letters
            rows.append({"w": word, "start": at, "end": after, "exact": False})
            at = after
        self.narration.append({"start": start, "end": end, "text": text, "words": rows})

    def write(self, path):
        path.write_text(json.dumps({"steps": self.steps, "narration": self.narration}))


def shift(raw, zero):
    """Replaces every time by seconds since `zero`."""
    if isinstance(raw, list):
        return [shift(item, zero) for item in raw]
    if isinstance(raw, dict):
        times = ("t", "t_end", "start", "end")
        return {key: round((value - zero) / 1e9, 3) if key in times else shift(value, zero) for key, value in raw.items()}
    return raw


def main():
    parser = argparse.ArgumentParser(description="Moves the demo's truth to the clock of a recording.")
    parser.add_argument("--shift", required=True, type=pathlib.Path, metavar="RAW")
    parser.add_argument("--recording", required=True, type=pathlib.Path)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    args = parser.parse_args()
    zero = json.loads(args.recording.read_text()).get("clock", {}).get("first_frame_monotonic_nanos")
    if zero is None:
        sys.exit(f"{args.recording} has no clock.first_frame_monotonic_nanos, so the demo's truth cannot be laid over it.")
    truth = shift(json.loads(args.shift.read_text()), zero)
    steps = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in sorted(truth["steps"], key=lambda row: row["t"]))
    (args.out / "truth.steps.jsonl").write_text(steps)
    (args.out / "truth.narration.json").write_text(json.dumps(truth["narration"], ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
