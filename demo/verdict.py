#!/usr/bin/env python3
"""Reads the demo's score and quality report, says in sentences what they mean, and ends with 1 if a bar was missed.

  verdict.py SCORE.json QUALITY.json
"""
import json
import sys

LEAST_STEP_F1 = 0.95
MOST_WORD_ERRORS = 0.15


def main():
    score, quality = (json.load(open(path, encoding="utf-8")) for path in sys.argv[1:3])
    steps, words = score["steps"], score["transcript"]
    bars = [
        (f"Steps: F1 {steps['f1']:.3f} ({steps['tp']} found, {steps['fp']} too many, {steps['fn']} missed); at least {LEAST_STEP_F1}",
         steps["f1"] >= LEAST_STEP_F1),
        (f"Words: {100 * words['wer']:.1f} % misheard of {words['words']}; at most {100 * MOST_WORD_ERRORS:.0f} %",
         words["wer"] <= MOST_WORD_ERRORS),
        (f"Verdict: {quality['verdict']}; a take without faults is not rejected", quality["verdict"] != "reject"),
    ]
    for sentence, good in bars:
        print(f"  {'reached' if good else 'MISSED '}  {sentence}")
    sys.exit(0 if all(good for _, good in bars) else 1)


if __name__ == "__main__":
    main()
