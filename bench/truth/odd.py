"""Takes that are whole and yet not made as they should be: a recording for each sign of the advice to the reviewer that the
defective ones do not show already, and one in two languages. What must be seen in each is written beside it."""
import json
import shutil

import defects
import voice

# Said like a list that is read out, with a pause of one length after each.
READ_OUT = ["The lamp is white.", "It costs thirty five dollars.", "The arm can be turned.", "It has one switch.", "The base is heavy.", "It stands on a desk.",
            "The light is warm.", "The cord is long.", "I put it in the basket.", "The basket holds one lamp.", "The price is fine.", "So I am done."]
PAUSE_SECS = 0.7
STILL_SECS = 100
SHOES_SECS = 40.4


def events_of(folder, name):
    return [json.loads(line) for line in (folder / f"{name}.events.jsonl").read_text().splitlines()]


def write_events(folder, name, rows):
    (folder / f"{name}.events.jsonl").write_text("".join(json.dumps(row) + "\n" for row in sorted(rows, key=lambda row: row["t"])))


def straightened(rows):
    """Each way of the pointer from act to act along a line, at an even pace."""
    straight, way, last = [], [], None
    for row in rows:
        if row["kind"] == "move":
            way.append(row)
            continue
        if way:
            start, end = last or (way[0]["x"], way[0]["y"]), (way[-1]["x"], way[-1]["y"])
            for at, move in enumerate(way, 1):
                share = at / len(way)
                straight.append({**move, "x": round(start[0] + (end[0] - start[0]) * share), "y": round(start[1] + (end[1] - start[1]) * share)})
            last, way = end, []
        straight.append(row)
    return straight + way


def read_out(path, secs):
    track, at = voice.Track(voice.Flite(), "rms"), 0.8
    for sentence in READ_OUT:
        samples, words = track.flite.speak(track.name, sentence)
        # From the first word's first sound to the last one's last: silence around them would make the pauses uneven.
        first, end = words[0][1], words[-1][2]
        track.spoken.append((at - first, samples, sentence, words))
        at += end - first + PAUSE_SECS
    track.write(path, secs, 12, 5)


def make(folder, goals):
    """Yields a row of the manifest for each. Needs shoes.mp4, runner.mp4, lamp.mp4 and their truth in the folder."""
    shoes, runner, lamp = (folder / f"{name}.mp4" for name in ("shoes", "runner", "lamp"))

    def row(name, verdict, flags, advice, of, events=True, **more):
        return {"file": f"{name}.mp4", "expected_verdict": verdict, "expected_flags": flags, "expected_advice": advice, "goal": goals[of], "derived_from": of,
                "events": f"{name}.events.jsonl" if events else None, "steps": None, "narration": None, **more}

    # Of both takes one after the other: signs are looked for where enough was done.
    both = ["-i", shoes, "-i", runner, "-filter_complex", "[0:v][0:a][1:v][1:a]concat=n=2:v=1:a=1[v][a]", "-map", "[v]", "-map", "[a]", *defects.X264, *defects.OPUS]
    later = [{**event, **{key: round(event[key] + SHOES_SECS, 3) for key in ("t", "t_end", "t_up") if key in event}} for event in events_of(folder, "runner")]
    rows = events_of(folder, "shoes") + later
    defects.ffmpeg(*both, folder / "no_hand.mp4")
    write_events(folder, "no_hand", [event for event in rows if event["kind"] == "move"])
    yield row("no_hand", "accept", [], ["unexplained_changes"], "shoes")
    shutil.copy(folder / "no_hand.mp4", folder / "straight.mp4")
    write_events(folder, "straight", straightened(rows))
    yield row("straight", "accept", [], ["straight_pointer"], "shoes")
    defects.ffmpeg("-i", lamp, "-f", "lavfi", "-i", "anoisesrc=r=48000:a=0.003:c=pink:seed=3", "-filter_complex",
                   f"[0:v]tpad=stop_mode=clone:stop_duration={STILL_SECS}[v];[0:a]apad[a];[a][1:a]amix=inputs=2:normalize=0[s]", "-map", "[v]", "-map", "[s]",
                   "-t", 26 + STILL_SECS, *defects.X264, *defects.OPUS, folder / "padding.mp4")
    write_events(folder, "padding", events_of(folder, "lamp"))
    yield row("padding", "reject", ["frozen_screen", "little_speech"], ["padding"], "lamp")
    sound = folder / "read_out.wav"
    read_out(sound, 32)
    defects.ffmpeg("-i", shoes, "-i", sound, "-map", "0:v", "-map", "1:a", "-t", 32, "-c:v", "copy", *defects.OPUS, folder / "read_out.mp4")
    sound.unlink()
    defects.cut_events(folder / "shoes.events.jsonl", folder / "read_out.events.jsonl", 32)
    yield row("read_out", "accept", [], ["even_pauses"], "shoes")
    # Half of it in another language than the campaign's.
    defects.ffmpeg("-i", shoes, "-stream_loop", "-1", "-f", "s16le", "-ar", "16000", "-ac", "1", "-i", defects.SPANISH, "-filter_complex",
                   "[0:a]atrim=0:14,aformat=sample_rates=48000:channel_layouts=mono,asetpts=N/SR/TB[a];[1:a]aresample=48000,atrim=0:26,asetpts=N/SR/TB[b];"
                   "[a][b]concat=n=2:v=0:a=1[s]", "-map", "0:v", "-map", "[s]", "-t", 40, "-c:v", "copy", *defects.OPUS, folder / "two_tongues.mp4")
    write_events(folder, "two_tongues", events_of(folder, "shoes"))
    yield row("two_tongues", "review", ["unclear_speech"], [], "shoes")
