#!/usr/bin/python3
"""Runs the pipeline on every recording of a corpus and sets what it found against the truth: one table of all figures
that the design names a bar for.

  run.py --pipeline PROGRAM --corpus DIR --work DIR [--only NAME,...] [--json FILE] [--baseline FILE --set NAME [--keep]]

Recordings with input events are judged twice, with them and without. The run fails (exit 1) if a bar is missed, and with
--baseline also if a figure fell below the one kept under NAME in that file by more than its tolerance; --keep writes the
figures there instead.
Standard library only.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys

import figures

PATIENCE_SECS = 1800


class Runs:
    def __init__(self, args, rows):
        self.args, self.rows = args, rows
        self.running = set()
        self.policy = args.work / "policy.toml"
        args.work.mkdir(parents=True, exist_ok=True)
        self.policy.write_text(f"min_active_secs = {args.min_secs}\n")

    def out(self, row, bare):
        return self.args.work / (pathlib.Path(row["file"]).name.replace(".", "-") + ("-bare" if bare else ""))

    def judge(self, row, bare, store):
        """Runs the pipeline once; returns what it found, or why it did not end well."""
        out = self.out(row, bare)
        shutil.rmtree(out, ignore_errors=True)
        command = [self.args.pipeline, "run", self.args.corpus / row["file"], "--out", out, "--policy", self.policy, "--threads", "1"]
        if row.get("goal"):
            command += ["--goal", row["goal"]]
        if row.get("events") and not bare:
            command += ["--events", self.args.corpus / row["events"]]
        if store:
            command += ["--store", store]
        label = f"{row['file']}{' without events' if bare else ''}"
        try:
            done = self.watched(command)
        except subprocess.TimeoutExpired:
            return {"row": row, "bare": bare, "label": label, "failed": f"did not end within {PATIENCE_SECS} s"}
        print(f"  {label}", file=sys.stderr, flush=True)
        if done.returncode:
            return {"row": row, "bare": bare, "label": label, "failed": f"ended with {done.returncode}: {done.stderr.strip()[-300:]}"}
        quality = json.loads((out / "quality.json").read_text())
        found = {"row": row, "bare": bare, "label": label, "out": out, "verdict": quality["verdict"],
                 "flags": [raised["flag"] for raised in quality["flags"]], "advice": [given["sign"] for given in quality["advice"]],
                 "score": self.score(row, out, bare)}
        return found

    def watched(self, command):
        process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.running.add(process)
        try:
            _, talk = process.communicate(timeout=PATIENCE_SECS)
        finally:
            # Nothing once it has ended.
            process.kill()
            self.running.discard(process)
        return subprocess.CompletedProcess(command, process.returncode, None, talk)

    def stop(self):
        """Ends what runs; the pipeline clears up after itself."""
        for process in list(self.running):
            process.terminate()

    def score(self, row, out, bare):
        # What is private is no longer in the transcript, rightly.
        heard = row.get("narration") and not row.get("private") and not bare
        if not row.get("steps") and not heard:
            return None
        truth = self.args.corpus / row["steps"] if row.get("steps") else os.devnull
        command = [self.args.pipeline, "score", "--predicted", out / "steps.jsonl", "--truth", truth]
        if heard:
            command += ["--transcript", out / "transcript.json", "--truth-transcript", self.args.corpus / row["narration"]]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"pipeline score on {row['file']}: {done.stderr.strip()}")
        score = json.loads(done.stdout)
        return score if row.get("steps") else {**score, "steps": None}

    def originals(self, rows):
        """One after the other against one store: none of them repeats another."""
        return [self.judge(row, False, self.args.work / "store") for row in rows]

    def copy(self, row):
        """Against the store that holds the originals."""
        store = self.args.work / f"store-{pathlib.Path(row['file']).name}"
        shutil.copytree(self.args.work / "store", store)
        return self.judge(row, False, store)

    def all(self):
        for old in self.args.work.glob("store*"):
            shutil.rmtree(old)
        copies = [row for row in self.rows if row.get("duplicate_of")]
        derived = [row for row in self.rows if row.get("derived_from") and row not in copies]
        originals = [row for row in self.rows if row not in copies and row not in derived]
        bare = [row for row in originals if row.get("events") and row.get("steps")]
        with concurrent.futures.ThreadPoolExecutor(max_workers=self.args.jobs) as pool:
            chain = pool.submit(self.originals, originals)
            rest = [pool.submit(self.judge, row, True, None) for row in bare]
            rest += [pool.submit(self.judge, row, False, self.args.work / f"store-{pathlib.Path(row['file']).name}") for row in derived]
            found = chain.result()
            rest += [pool.submit(self.copy, row) for row in copies]
            return found + [future.result() for future in rest]


def main():
    parser = argparse.ArgumentParser(description="Sets the pipeline's findings against the truth.")
    parser.add_argument("--pipeline", required=True, type=pathlib.Path)
    parser.add_argument("--corpus", required=True, type=pathlib.Path)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--baseline", type=pathlib.Path)
    parser.add_argument("--set", default="full")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    args = parser.parse_args()
    manifest = json.loads((args.corpus / "manifest.json").read_text())
    args.min_secs = float(manifest.get("assumed_min_duration_s", 20))
    only = set(filter(None, args.only.split(",")))
    rows = [row for row in manifest["files"] if not only or row["file"] in only]
    missing = only - {row["file"] for row in rows}
    if missing:
        parser.error(f"the corpus has no {', '.join(sorted(missing))}")
    print(f"Judging {len(rows)} recordings, {args.jobs} at a time", file=sys.stderr)
    runs = Runs(args, rows)

    def stopped(*_):
        runs.stop()
        print("Stopped; no figures.", file=sys.stderr)
        os._exit(130)
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, stopped)
    found = runs.all()
    table = figures.table(found, args.corpus)
    print(figures.text(table, found))
    if args.json:
        args.json.write_text(json.dumps({"corpus": str(args.corpus), "figures": table, "recordings": figures.recordings(found)}, indent=1) + "\n")
    failed = [one for one in found if "failed" in one]
    for one in failed:
        print(f"{one['label']} {one['failed']}", file=sys.stderr)
    fallen = figures.against(args.baseline, args.set, table, args.keep) if args.baseline else []
    for line in fallen:
        print(line)
    missed = [row for row in table if row["met"] is False]
    return 1 if fallen or failed or missed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (OSError, RuntimeError, ValueError) as error:
        sys.exit(f"The pipeline could not be measured: {error}.")
