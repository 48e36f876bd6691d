"""Speech with exact word times: flite's voices through its library, which knows where each word lies.

Noise and level are mixed in here too. All of it is the same in every run.
"""
import array
import ctypes
import random
import wave

RATE = 16_000
VOICES = ("slt", "rms", "awb")


class Flite:
    def __init__(self):
        self.core = ctypes.CDLL("libflite.so.1", mode=ctypes.RTLD_GLOBAL)
        for name in ("usenglish", "cmulex"):
            ctypes.CDLL(f"libflite_{name}.so.1", mode=ctypes.RTLD_GLOBAL)
        pointer, text = ctypes.c_void_p, ctypes.c_char_p
        forms = {"flite_synth_text": (pointer, [text, pointer]), "utt_relation": (pointer, [pointer, text]), "relation_head": (pointer, [pointer]),
                 "item_next": (pointer, [pointer]), "ffeature_string": (text, [pointer, text]), "ffeature_float": (ctypes.c_float, [pointer, text]),
                 "utt_wave": (pointer, [pointer]), "delete_utterance": (None, [pointer])}
        for name, (result, arguments) in forms.items():
            function = getattr(self.core, name)
            function.restype, function.argtypes = result, arguments
        self.core.flite_init()
        self.voices = {}

    def voice(self, name):
        if name not in self.voices:
            library = ctypes.CDLL(f"libflite_cmu_us_{name}.so.1")
            register = getattr(library, f"register_cmu_us_{name}")
            register.restype, register.argtypes = ctypes.c_void_p, [ctypes.c_char_p]
            self.voices[name] = register(None)
        return self.voices[name]

    def speak(self, name, sentence):
        """Samples at 16 kHz, and the words with start and end in seconds from the first sample."""
        utterance = self.core.flite_synth_text(sentence.encode(), self.voice(name))
        words, item = [], self.core.relation_head(self.core.utt_relation(utterance, b"Word"))
        while item:
            start = self.core.ffeature_float(item, b"R:SylStructure.daughter1.daughter1.R:Segment.p.end")
            end = self.core.ffeature_float(item, b"R:SylStructure.daughtern.daughtern.R:Segment.end")
            words.append((self.core.ffeature_string(item, b"name").decode(), start, end))
            item = self.core.item_next(item)
        samples = self.samples(self.core.utt_wave(utterance))
        self.core.delete_utterance(utterance)
        return samples, words

    @staticmethod
    def samples(sound):
        class Wave(ctypes.Structure):
            _fields_ = [("type", ctypes.c_char_p), ("rate", ctypes.c_int), ("count", ctypes.c_int), ("channels", ctypes.c_int),
                        ("samples", ctypes.POINTER(ctypes.c_short))]
        wave_form = ctypes.cast(sound, ctypes.POINTER(Wave)).contents
        if (wave_form.rate, wave_form.channels) != (RATE, 1):
            raise RuntimeError("this voice of flite is not 16 kHz mono")
        return array.array("h", wave_form.samples[:wave_form.count])


class Track:
    """What the microphone hears over a take."""

    def __init__(self, flite, name):
        self.flite, self.name = flite, name
        self.spoken, self.free_at = [], 0.0

    def say(self, sentence, at):
        """Begins as soon as the sentence before has ended; returns where it ends."""
        start = max(at, self.free_at)
        samples, words = self.flite.speak(self.name, sentence)
        self.spoken.append((start, samples, sentence, words))
        self.free_at = start + len(samples) / RATE + 0.35
        return self.free_at

    def truth(self):
        rows = []
        for start, samples, sentence, words in self.spoken:
            timed = [{"w": word, "start": round(start + a, 3), "end": round(start + b, 3), "exact": True} for word, a, b in words]
            rows.append({"start": timed[0]["start"], "end": timed[-1]["end"], "text": sentence, "voice": self.name, "words": timed})
        return rows

    def write(self, path, secs, noise, seed):
        """16-bit mono; `noise` is the standard deviation of the room's noise in steps of 32768."""
        chance = random.Random(seed)
        block = [chance.gauss(0, noise) for _ in range(RATE * 3)]
        count = int(secs * RATE)
        mixed = array.array("h", (round(block[i % len(block)]) for i in range(count)))
        for start, samples, _, _ in self.spoken:
            first = int(start * RATE)
            for i, sample in enumerate(samples[:max(0, count - first)]):
                mixed[first + i] = max(-32768, min(32767, mixed[first + i] + sample))
        with wave.open(str(path), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(RATE)
            out.writeframes(mixed.tobytes())
