"""The demo's voice: sentences made by flite beforehand, mixed over faint room noise into one endless stream into the
default sink, whose monitor is the virtual microphone. The sound server tells the stream's latency, so that the moment
at which a sentence is heard is known to a few milliseconds.

The voice `rms` of flite was chosen among six free ones: Whisper base hears it with under 1 % word errors, and
DNSMOS gives it 3.2 of 5.
"""
import array
import ctypes
import hashlib
import random
import subprocess
import threading
import time
import wave

import truth

RATE = 16_000
BLOCK = RATE // 50
VOICE = "rms"
# Written ahead of what is heard, so that a busy machine does not make the voice stutter.
BUFFER_BYTES = RATE * 2 * 3 // 10


class SampleSpec(ctypes.Structure):
    _fields_ = [("format", ctypes.c_int), ("rate", ctypes.c_uint32), ("channels", ctypes.c_uint8)]


class BufferAttr(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint32) for name in ("maxlength", "tlength", "prebuf", "minreq", "fragsize")]


class Stream:
    """A playback stream of libpulse-simple: `write` blocks while the buffer is full, and so keeps the time."""

    def __init__(self):
        self.pulse = ctypes.CDLL("libpulse-simple.so.0")
        self.pulse.pa_simple_new.restype = ctypes.c_void_p
        self.pulse.pa_simple_get_latency.restype = ctypes.c_uint64
        for name in ("pa_simple_write", "pa_simple_get_latency", "pa_simple_free"):
            getattr(self.pulse, name).argtypes = {
                "pa_simple_write": [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p],
                "pa_simple_get_latency": [ctypes.c_void_p, ctypes.c_void_p],
                "pa_simple_free": [ctypes.c_void_p]}[name]
        spec = SampleSpec(3, RATE, 1)  # PA_SAMPLE_S16LE
        unset = 2 ** 32 - 1
        attr = BufferAttr(unset, BUFFER_BYTES, unset, BLOCK * 2, unset)
        error = ctypes.c_int()
        playback = 1
        self.handle = self.pulse.pa_simple_new(None, b"demo", playback, None, b"voice", ctypes.byref(spec), None,
                                               ctypes.byref(attr), ctypes.byref(error))
        if not self.handle:
            raise RuntimeError(f"the sound server did not take a stream (PulseAudio error {error.value})")

    def write(self, samples):
        data = samples.tobytes()
        if self.pulse.pa_simple_write(self.handle, data, len(data), None) < 0:
            raise RuntimeError("the sound server broke off the voice's stream")

    def heard_at(self):
        """When a sample written now will be heard."""
        return truth.now() + self.pulse.pa_simple_get_latency(self.handle, None) * 1000

    def close(self):
        self.pulse.pa_simple_free(self.handle)


def synthesise(text, folder):
    """The sentence's samples, without the silence that flite leaves at both ends."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (hashlib.sha256(f"{VOICE} {text}".encode()).hexdigest()[:16] + ".wav")
    if not path.exists():
        part = path.with_suffix(".part")
        subprocess.run(["flite", "-voice", VOICE, "-t", text, "-o", str(part)], check=True, timeout=60)
        part.rename(path)
    with wave.open(str(path)) as sound:
        if (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) != (RATE, 1, 2):
            raise ValueError(f"{path} is not 16 kHz mono, 16 bits: flite's voice {VOICE} is missing")
        samples = array.array("h", sound.readframes(sound.getnframes()))
    loud = [at for at, sample in enumerate(samples) if abs(sample) > 300]
    return samples[max(0, loud[0] - RATE // 50):loud[-1] + RATE // 50]


class Voice:
    """Speaks one sentence at a time. `say` returns at once, after the one before has ended and a breath was taken."""

    def __init__(self, sentences, folder, record):
        self.sounds = {text: synthesise(text, folder) for text in sentences}
        self.record = record
        self.random = random.Random(7)
        self.noise = array.array("h", (round(self.random.gauss(0, 9)) for _ in range(RATE * 4)))
        self.pending, self.free_at, self.stopped = [], 0, False
        self.change = threading.Condition()

    def start(self):
        self.stream = Stream()
        self.thread = threading.Thread(target=self.feed, name="voice", daemon=True)
        self.thread.start()

    def feed(self):
        written, current, at = 0, None, 0
        while not self.stopped:
            heard = self.stream.heard_at()
            if current is None:
                with self.change:
                    if self.pending and self.pending[0][1] <= heard:
                        text, _ = self.pending.pop(0)
                        current, at = self.sounds[text], 0
                        self.record(text, heard, heard + len(current) * 1_000_000_000 // RATE)
            offset = (written * BLOCK) % (len(self.noise) - BLOCK)
            block = self.noise[offset:offset + BLOCK]
            if current is not None:
                for i, sample in enumerate(current[at:at + BLOCK]):
                    block[i] = max(-32768, min(32767, block[i] + sample))
                at += BLOCK
                if at >= len(current):
                    current = None
            self.stream.write(block)
            written += 1

    def say(self, text, pause=None):
        """Waits for the end of the sentence before; this one starts after a pause (seconds)."""
        self.hush()
        pause = self.random.uniform(0.5, 1.1) if pause is None else pause
        start = max(self.stream.heard_at(), self.free_at + int(pause * 1e9))
        with self.change:
            self.pending.append((text, start))
        self.free_at = start + len(self.sounds[text]) * 1_000_000_000 // RATE

    def hush(self):
        """Waits until nothing is being said."""
        time.sleep(max(0, self.free_at - truth.now()) / 1e9)

    def stop(self):
        self.stopped = True
        self.thread.join(5)
        self.stream.close()
