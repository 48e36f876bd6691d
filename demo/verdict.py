#!/usr/bin/env python3
"""Reads the demo's score and quality report, says in sentences what they mean, and ends with 1 if a bar was missed.

  verdict.py SCORE.json QUALITY.json DATASET
  verdict.py --examples < examples.jsonl       each in a line
"""
import hashlib
import json
import pathlib
import sys

LEAST_STEP_F1 = 0.95
MOST_WORD_ERRORS = 0.15


def whole(dataset):
    """Whether every file of the dataset is there with its hash, and every picture that an example names."""
    manifest = json.loads((dataset / "dataset.json").read_text(encoding="utf-8"))
    hashes = {file["path"]: file["sha256"] for file in manifest["files"]}
    good = all(hashlib.sha256((dataset / path).read_bytes()).hexdigest() == sha256 for path, sha256 in hashes.items())
    examples = [json.loads(line) for path in sorted(dataset.glob("data/*.jsonl")) for line in path.open(encoding="utf-8")]
    frames = {example["step"][name] for example in examples for name in ("frame_before", "frame_after")} - {None}
    return good and bool(examples) and frames <= set(hashes), len(examples), len(frames)


def show_examples():
    for line in sys.stdin:
        if line.startswith("{"):
            example = json.loads(line)
            step, target = example["step"], (example["step"]["target"] or {}).get("text")
            print(f"  {example['index'] + 1}/{example['steps']}  {step['action']} {target or step['text'] or step['title'] or ''}  "
                  f"{'[' + step['intent'] + ']' if step['intent'] else ''}  {step['rationale'] or ''}"[:150])


def main():
    if sys.argv[1:] == ["--examples"]:
        return show_examples()
    score, quality = (json.load(open(path, encoding="utf-8")) for path in sys.argv[1:3])
    is_whole, examples, frames = whole(pathlib.Path(sys.argv[3]))
    steps, words = score["steps"], score["transcript"]
    bars = [
        (f"Steps: F1 {steps['f1']:.3f} ({steps['tp']} found, {steps['fp']} too many, {steps['fn']} missed); at least {LEAST_STEP_F1}",
         steps["f1"] >= LEAST_STEP_F1),
        (f"Words: {100 * words['wer']:.1f} % misheard of {words['words']}; at most {100 * MOST_WORD_ERRORS:.0f} %",
         words["wer"] <= MOST_WORD_ERRORS),
        (f"Verdict: {quality['verdict']}; a take without faults is not rejected", quality["verdict"] != "reject"),
        (f"Dataset: {examples} examples, {frames} pictures, every file with its hash", is_whole),
    ]
    for sentence, good in bars:
        print(f"  {'reached' if good else 'MISSED '}  {sentence}")
    sys.exit(0 if all(good for _, good in bars) else 1)


if __name__ == "__main__":
    main()
