#!/usr/bin/python3
"""Measures `pipeline run` on a take of so many seconds by pass, and a plain script beside it. Called by bench/pipeline.sh."""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

PLAIN_EVERY_SECS = 2


def take(corpus, folder, secs):
    """The good takes one after the other until there are so many seconds, with their events."""
    manifest = json.loads((corpus / "manifest.json").read_text())
    good = [row for row in manifest["files"] if row.get("narration") and row.get("events") and not row.get("derived_from")
            and row["expected_verdict"] in ("accept", "review")]
    if not good:
        raise RuntimeError(f"{corpus} has no good take with events")
    inputs, events, at, index = [], [], 0.0, 0
    while at < secs:
        row = good[index % len(good)]
        length = float(subprocess.run(["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", corpus / row["file"]],
                                      capture_output=True, text=True, check=True).stdout)
        inputs.append(corpus / row["file"])
        for line in (corpus / row["events"]).read_text().splitlines():
            event = json.loads(line)
            events.append({key: value + at if key in ("t", "t_end", "t_up") else value for key, value in event.items()})
        at += length
        index += 1
    graph = "".join(f"[{i}:v]scale=1280:720,fps=15,setsar=1[v{i}];[{i}:a]aresample=48000,aformat=channel_layouts=mono[a{i}];" for i in range(len(inputs)))
    graph += "".join(f"[v{i}][a{i}]" for i in range(len(inputs))) + f"concat=n={len(inputs)}:v=1:a=1[v][a]"
    command = ["ffmpeg", "-nostdin", "-loglevel", "error", "-y", *[part for path in inputs for part in ("-i", str(path))], "-filter_complex", graph,
               "-map", "[v]", "-map", "[a]", "-t", str(secs), "-c:v", "libx264", "-preset", "veryfast", "-crf", "24", "-c:a", "libopus", "-b:a", "48k"]
    subprocess.run([*command, str(folder / "take.mp4")], check=True)
    (folder / "take.events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events if event["t"] < secs))
    return good[0]["goal"]


def measured(command, **options):
    """Runs a command; its time, CPU seconds and peak memory in MiB, children included."""
    began = time.monotonic()
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **options)
    talk = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}: {talk.decode(errors='replace')[-300:]}")
    return {"secs": time.monotonic() - began, "cpu": usage.ru_utime + usage.ru_stime, "peak": usage.ru_maxrss / 1024}


WHISPER = """import sys
from pywhispercpp.model import Model
model = Model(sys.argv[1], n_threads=1, print_progress=False, print_realtime=False, language='en', token_timestamps=True)
print(' '.join(segment.text.strip() for segment in model.transcribe(sys.argv[2])))"""


def plain(video, folder, models):
    pictures = folder / "pictures"
    pictures.mkdir()
    rows = [("ffmpeg", measured(["ffmpeg", "-nostdin", "-loglevel", "error", "-threads", "1", "-i", video, "-vf", f"fps=1/{PLAIN_EVERY_SECS}", pictures / "%04d.png",
                                 "-vn", "-ar", "16000", "-ac", "1", folder / "voice.wav"]))]
    reading = {"secs": 0.0, "cpu": 0.0, "peak": 0.0}
    for picture in sorted(pictures.iterdir()):
        one = measured(["tesseract", picture, "stdout", "--psm", "11"], env={**os.environ, "OMP_THREAD_LIMIT": "1"})
        reading = {"secs": reading["secs"] + one["secs"], "cpu": reading["cpu"] + one["cpu"], "peak": max(reading["peak"], one["peak"])}
    rows.append((f"tesseract, {len(list(pictures.iterdir()))} pictures", reading))
    model = next(iter(sorted(models.rglob("ggml*.bin")) + sorted(models.glob("whisper-base/*.bin"))), None)
    if model is None:
        raise RuntimeError(f"{models} holds no Whisper model: run ./dev setup")
    rows.append((f"whisper.cpp, {model.stem}", measured([sys.executable, "-c", WHISPER, model, folder / "voice.wav"])))
    return rows


def main():
    parser = argparse.ArgumentParser()
    for name in ("pipeline", "corpus", "work"):
        parser.add_argument(f"--{name}", required=True, type=pathlib.Path)
    parser.add_argument("--seconds", type=int, default=300)
    args = parser.parse_args()
    models = pathlib.Path(os.environ.get("COLLECTOR_MODELS_DIR") or pathlib.Path.home() / ".cache/codesight-collector/models")
    goal = take(args.corpus, args.work, args.seconds)
    video, out = args.work / "take.mp4", args.work / "result"
    load = os.getloadavg()[0]
    whole = measured([args.pipeline, "run", video, "--events", args.work / "take.events.jsonl", "--goal", goal, "--out", out, "--threads", "1"])
    summary = json.loads((out / "summary.json").read_text())
    ours = [(run["name"], {"secs": run["secs"], "cpu": run["cpu_secs"], "peak": run["peak_memory_bytes"] / 2**20}) for run in summary["passes"]]
    # A pass begins anew to count its memory, so the process knows only of the last one.
    whole["peak"] = max([whole["peak"], *(row["peak"] for _, row in ours)])
    peer = plain(video, args.work, models)
    load = max(load, os.getloadavg()[0])
    cores = os.cpu_count() or 1
    print(f"{args.seconds} s of 1280x720, one thread a model, {args.pipeline.parent.name} build, {cores} cores, load {load:.1f}" +
          (": the machine was busy, so times are unreliable; read CPU seconds and ratios" if load > cores * 0.75 else ""))
    print(f"{'':28} {'time, s':>9} {'x real time':>12} {'CPU, s':>9} {'peak, MiB':>10}")
    line = lambda name, row: print(f"{name:28} {row['secs']:9.1f} {row['secs'] / args.seconds:12.3f} {row['cpu']:9.1f} {row['peak']:10.0f}")
    for name, row in ours:
        line(f"  {name}", row)
    line("pipeline run", whole)
    for name, row in peer:
        line(f"  {name}", row)
    total = {"secs": sum(row["secs"] for _, row in peer), "cpu": sum(row["cpu"] for _, row in peer), "peak": max(row["peak"] for _, row in peer)}
    line("plain script", total)
    print(f"ratio of CPU seconds {whole['cpu'] / total['cpu']:.2f}; real-time factor of pipeline run {whole['secs'] / args.seconds:.3f}, bar 0.5")
    (args.work / "figures.json").write_text(json.dumps({"seconds": args.seconds, "load": load, "passes": dict(ours), "pipeline": whole, "plain": dict(peer)}, indent=1) + "\n")


if __name__ == "__main__":
    try:
        main()
    except (OSError, RuntimeError, subprocess.CalledProcessError) as error:
        sys.exit(f"The pipeline could not be measured: {error}.")
