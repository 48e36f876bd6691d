"""Recordings with one thing wrong each, made of the good takes by FFmpeg; what must be found in each is written beside it."""
import json
import pathlib
import subprocess

PLAYLISTS = {
    "hls_playlist.mp4": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{other}\n#EXT-X-ENDLIST\n",
    "concat_script.mp4": "ffconcat version 1.0\nfile '{other}'\n",
    "dash_manifest.mp4": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet mimeType="video/mp4">'
                         '<Representation id="1" bandwidth="1"><BaseURL>{other}</BaseURL></Representation></AdaptationSet></Period></MPD>\n',
}


MANIFEST = pathlib.Path(__file__).resolve().parents[2] / "shared-types/tests/fixtures/recording.json"
SPANISH = pathlib.Path(__file__).resolve().parents[2] / "pipeline/tests/fixtures/spanish.s16le"


def ffmpeg(*arguments):
    subprocess.run(["ffmpeg", "-nostdin", "-loglevel", "error", "-y", *map(str, arguments)], check=True)


X264 = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "26", "-pix_fmt", "yuv420p", "-threads", "1", "-fflags", "+bitexact", "-flags:v", "+bitexact"]
OPUS = ["-c:a", "libopus", "-b:a", "40k", "-ac", "1"]


def cut_events(source, target, secs):
    lines = [line for line in source.read_text().splitlines() if json.loads(line)["t"] < secs]
    target.write_text("".join(line + "\n" for line in lines))


def make(folder, goals):
    """Yields a row of the manifest for each defective recording. Needs shoes.mp4, lamp.mp4, sleepy.mp4 and their truth in the folder."""
    shoes, lamp = folder / "shoes.mp4", folder / "lamp.mp4"
    secs = 24

    def row(name, verdict, *flags, of="lamp", events=False, **more):
        if events and not (folder / f"{pathlib.Path(name).stem}.events.jsonl").exists():
            cut_events(folder / f"{of}.events.jsonl", folder / f"{pathlib.Path(name).stem}.events.jsonl", secs)
        return {"file": name, "expected_verdict": verdict, "expected_flags": list(flags), "goal": goals[of], "expected_advice": [], "derived_from": of,
                "events": f"{pathlib.Path(name).stem}.events.jsonl" if events else None, "steps": None, "narration": None, **more}

    def picture(name, picture_filter=None, of=lamp, copy=False):
        video = ["-c:v", "copy"] if copy else [*X264, *(["-vf", picture_filter] if picture_filter else [])]
        ffmpeg("-i", of, "-t", secs, *video, "-c:a", "copy", folder / name)

    def sound(name, graph, *inputs, of=lamp):
        ffmpeg("-i", of, *inputs, "-t", secs, "-filter_complex", graph, "-map", "0:v", "-map", "[out]", "-c:v", "copy", *OPUS, folder / name)

    whole = lamp.read_bytes()
    (folder / "empty.mp4").write_bytes(b"")
    yield row("empty.mp4", "reject", "empty_file", goal=None)
    (folder / "letter.mp4").write_text("Dear reader, this is no film.\n")
    yield row("letter.mp4", "reject", "wrong_type", goal=None)
    for name, text in PLAYLISTS.items():
        (folder / name).write_text(text.format(other=lamp))
        yield row(name, "reject", "wrong_type", goal=None)
    (folder / "no_index.mp4").write_bytes(whole[:len(whole) * 6 // 10])
    yield row("no_index.mp4", "reject", "corrupt_file")
    ffmpeg("-i", lamp, "-t", secs, "-c", "copy", "-movflags", "+faststart", folder / "fast.mp4")
    fast = (folder / "fast.mp4").read_bytes()
    (folder / "fast.mp4").unlink()
    (folder / "truncated.mp4").write_bytes(fast[:len(fast) * 6 // 10])
    yield row("truncated.mp4", "reject", "truncated_file")

    ffmpeg("-i", lamp, "-t", secs, "-an", "-c:v", "copy", folder / "video_only.mp4")
    yield row("video_only.mp4", "reject", "no_audio_stream", events=True)
    ffmpeg("-i", lamp, "-t", secs, "-vn", "-c:a", "copy", folder / "sound_only.mp4")
    yield row("sound_only.mp4", "reject", "no_video_stream")
    picture("black.mp4", "drawbox=color=black:t=fill")
    yield row("black.mp4", "reject", "black_screen", events=True, expected_advice=["unanswered_input"])
    picture("frozen.mp4", f"trim=end_frame=1,loop=loop=-1:size=1,setpts=N/15/TB,trim=duration={secs}")
    yield row("frozen.mp4", "reject", "frozen_screen", events=True, expected_advice=["unanswered_input"])
    ffmpeg("-i", lamp, "-t", 12, "-c", "copy", folder / "short.mp4")
    yield row("short.mp4", "reject", "too_short")

    sound("silent.mp4", "[0:a]volume=0[out]")
    yield row("silent.mp4", "reject", "silent_audio", "no_speech", events=True)
    noise = ["-f", "lavfi", "-i", f"anoisesrc=r=48000:a=0.02:c=pink:seed=3:d={secs}"]
    sound("no_speech.mp4", "[1:a]anull[out]", *noise)
    yield row("no_speech.mp4", "reject", "no_speech", events=True)
    sound("little_speech.mp4", "[0:a]volume='if(between(t,2.6,4.4),1,0.004)':eval=frame[a];[a][1:a]amix=inputs=2:duration=first:normalize=0[out]",
          "-f", "lavfi", "-i", f"anoisesrc=r=48000:a=0.0006:c=pink:seed=3:d={secs}")
    yield row("little_speech.mp4", "review", "little_speech", events=True)
    sound("noisy.mp4", "[0:a][1:a]amix=inputs=2:duration=first:normalize=0[out]", "-f", "lavfi", "-i", f"anoisesrc=r=48000:a=0.22:c=pink:seed=3:d={secs}",
          of=shoes)
    yield row("noisy.mp4", "review", "low_snr", of="shoes", may=["unclear_speech"], events=True)
    sound("clipped.mp4", "[0:a]volume=14dB,volume=8dB,alimiter=limit=1:level=0,asoftclip=type=hard[out]")
    yield row("clipped.mp4", "review", "audio_clipping", may=["unclear_speech"], events=True)
    chord = "+".join(f"0.06*sin(2*PI*{hz}*t)*(0.6+0.4*sin(2*PI*2*t))" for hz in (220, 277.18, 329.63, 440))
    sound("music.mp4", "[0:a][1:a]amix=inputs=2:duration=first:normalize=0[out]", "-f", "lavfi", "-i", f"aevalsrc={chord}:s=48000:d={secs}")
    yield row("music.mp4", "review", "music", may=["low_snr", "unclear_speech"], events=True)

    sound("spanish.mp4", "[1:a]anull[out]", "-stream_loop", "-1", "-f", "s16le", "-ar", "16000", "-ac", "1", "-i", SPANISH)
    yield row("spanish.mp4", "review", "unclear_speech", events=True, expected_advice=["no_room_noise"])

    # A recording folder, whose manifest says that the computer was too busy and the sound late.
    busy = folder / "busy"
    busy.mkdir(exist_ok=True)
    ffmpeg("-i", lamp, "-t", secs, "-c", "copy", busy / "video.mp4")
    cut_events(folder / "lamp.events.jsonl", busy / "events.jsonl", secs)
    manifest = json.loads(MANIFEST.read_text())
    manifest["frames"] = {"due": 360, "captured": 320, "dropped_per_second": {"8": 15, "9": 15, "14": 10}}
    manifest["clock"]["av_offset_ms"] = 140.0
    (busy / "recording.json").write_text(json.dumps(manifest))
    yield row("busy", "review", "av_desync", "dropped_frames")

    picture("other_goal.mp4", copy=True)
    yield row("other_goal.mp4", "review", "goal_not_attempted", events=True, goal="Find a purple bicycle helmet for a child under $30")
    yield from copies(folder, row, shoes, lamp)


def copies(folder, row, shoes, lamp):
    """The take `shoes` handed in again, changed in all the ways that cost nothing, and `lamp` in one."""
    def again(name, *arguments, of=shoes):
        ffmpeg(*arguments[:arguments.index("|")], "-i", of, *arguments[arguments.index("|") + 1:], folder / name)
        return row(name, "reject", "duplicate", of=of.stem, duplicate_of=of.name)
    yield again("copy_small.mp4", "|", "-vf", "scale=960:540,fps=10", *X264, "-c:a", "aac", "-b:a", "64k")
    yield again("copy_bright.mp4", "|", "-vf", "eq=brightness=0.12:contrast=0.8:saturation=0.5", *X264, "-c:a", "copy")
    yield again("copy_trimmed.mp4", "-ss", "9.3", "|", "-t", "22", *X264, *OPUS)
    yield again("copy_silent.mp4", "|", "-an", "-vf", "scale=854:480", *X264)
    yield again("copy_voice.mp4", "|", "-vf", "drawbox=color=gray:t=fill", *X264, "-c:a", "aac", "-b:a", "48k")
    yield again("copy_crude.mkv", "|", "-vf", "scale=640:360", "-c:v", "libx264", "-preset", "veryfast", "-crf", "38", "-c:a", "libopus", "-b:a", "16k")
    yield again("copy_crop.mp4", "|", "-vf", "crop=1240:690:20:20,scale=1280:720", *X264, "-an")
    yield again("copy_lamp.mp4", "|", "-vf", "scale=854:480,eq=brightness=-0.08:contrast=1.15", *X264, "-c:a", "aac", "-b:a", "48k", of=lamp)
    yield again("copy_slow.mp4", "-ss", "4.27", "|", "-vf", "fps=7", *X264, "-an")
