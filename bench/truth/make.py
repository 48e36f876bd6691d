#!/usr/bin/python3
"""Makes the project's own corpus: takes whose every act and word is known, and recordings with one thing wrong each.

  make.py --out DIR [--only NAME,...]

The same files come out in every run on the same FFmpeg, Chromium and fonts. Its form is that of any corpus of
`./dev bench truth --corpus`: manifest.json beside NAME.steps.jsonl, NAME.narration.json, NAME.events.jsonl and, where
private data is shown, NAME.private.json. Needs what `./dev setup` installs; standard library only.
"""
import argparse
import hashlib
import json
import pathlib
import signal
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "demo"))
import shop_server  # noqa: E402

import browser  # noqa: E402
import defects  # noqa: E402
import film  # noqa: E402
import odd  # noqa: E402
import people  # noqa: E402
import scenes  # noqa: E402
import voice  # noqa: E402

DARK = {"fernway": "document.documentElement.style.filter = 'invert(0.92) hue-rotate(180deg)'; document.documentElement.style.background = '#fff'",
        "haven": "document.documentElement.classList.add('dark')"}


def lines(rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in sorted(rows, key=lambda row: row["t"]))


def film_scene(chromium, flite, scene, folder, seed):
    page = browser.Page(chromium, film.WIDTH, film.HEIGHT - film.BAR)
    bar = browser.Page(chromium, film.WIDTH, film.BAR)
    if scene.dark:
        page.call("Page.addScriptToEvaluateOnNewDocument", source=f"document.addEventListener('DOMContentLoaded', () => {{ {DARK[scene.shop]} }})")
    # Nothing may move by itself: no transitions, no caret, and every take finds an empty cart.
    page.call("Page.addScriptToEvaluateOnNewDocument", source="document.addEventListener('DOMContentLoaded', () => { const s = document.createElement('style');"
              "s.textContent = '*{transition:none!important;animation:none!important;caret-color:transparent!important}'; document.head.append(s) })")
    page.open(f"http://www.{scene.shop}.test/")
    page.run("localStorage.clear()")
    page.open("about:blank")
    track = voice.Track(flite, scene.voice)
    take = film.Film(page, bar, track, seed, scene.dark)
    silent, sound = folder / f"{scene.name}.part.mp4", folder / f"{scene.name}.wav"
    take.start(silent)
    scene.play(take)
    take.finish()
    track.write(sound, take.t, scene.noise, seed)
    subprocess.run(["ffmpeg", "-nostdin", "-loglevel", "error", "-y", "-i", str(silent), "-i", str(sound), "-c:v", "copy", "-c:a", "libopus", "-b:a", "48k",
                    "-ac", "1", "-fflags", "+bitexact", str(folder / f"{scene.name}.mp4")], check=True)
    silent.unlink()
    sound.unlink()
    (folder / f"{scene.name}.steps.jsonl").write_text(lines(take.steps))
    (folder / f"{scene.name}.events.jsonl").write_text(lines(take.events))
    (folder / f"{scene.name}.narration.json").write_text(json.dumps(track.truth(), indent=1))
    planted = list(take.planted.values()) + take.spoken_private
    if planted:
        (folder / f"{scene.name}.private.json").write_text(json.dumps(planted, indent=1))
    for tab in (page, bar):
        tab.call("Page.close")
    return {"file": f"{scene.name}.mp4", "goal": scene.goal, "expected_verdict": scene.verdict, "expected_flags": list(scene.flags), "expected_advice": [],
            "events": f"{scene.name}.events.jsonl", "steps": f"{scene.name}.steps.jsonl",
            "narration": f"{scene.name}.narration.json" if track.spoken else None,
            "private": f"{scene.name}.private.json" if planted else None, "products": list(take.products.values()), "met": scene.met, "chosen": scene.chosen, "because": scene.because, "duration_s": round(take.t, 2), "lines_shown": len(take.lines_shown), "voice": scene.voice, "dark": scene.dark}


def main():
    parser = argparse.ArgumentParser(description="Makes the project's own corpus.")
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--only", default="", help="names of good takes; the defects are left out")
    args = parser.parse_args()
    # A stop that Python does not know as one would leave the browser behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    only = set(filter(None, args.only.split(",")))
    args.out.mkdir(parents=True, exist_ok=True)
    shops = {"www.fernway.test": shop_server.Shop().start(), "www.haven.test": shop_server.Shop(root=HERE / "haven").start()}
    chromium = browser.Browser({host: shop.server_address[1] for host, shop in shops.items()})
    rows, goals = [], {}
    try:
        flite = voice.Flite()
        for seed, scene in enumerate([*scenes.SCENES, scenes.ROBOT, scenes.SLEEPY]):
            if only and scene.name not in only:
                continue
            print(f"filming {scene.name}", file=sys.stderr, flush=True)
            rows.append(film_scene(chromium, flite, scene, args.out, scene.seed or seed + 1))
            goals[scene.name] = scene.goal
    finally:
        chromium.close()
    if not only:
        print("making the defective ones", file=sys.stderr, flush=True)
        rows += defects.make(args.out, goals)
        rows += odd.make(args.out, goals)
        rows.append(people.make(args.out, goals["shoes"]))
    for row in rows:
        if (args.out / row["file"]).is_dir():
            continue
        data = (args.out / row["file"]).read_bytes()
        row.update(bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
    (args.out / "manifest.json").write_text(json.dumps({"format": 1, "assumed_min_duration_s": 20, "files": rows}, indent=1))


if __name__ == "__main__":
    try:
        main()
    except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"The corpus could not be made: {error}.")
