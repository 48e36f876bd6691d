#!/usr/bin/env bash
# Do picture and sound lie in the file when they were on a real screen and came out of a real sound card?
#
#   tests/sync.sh [--all]      a take of 20 s; with --all of 180 s
#
# Records a virtual X11 screen on which a corner flashes while a tone sounds through PulseAudio (tests/stage.py), 30 pictures a
# second, and holds the file against what the stage says that it did, on the monotonic clock. Passes if none of these is more
# than 21.5 ms: how far the first tone lies from the truth, the middle of all tones, the middle of all flashes (less the half
# picture that a flash waits for the next one), the middles of both from each other, and what the manifest says of the first
# sound's place. A single flash is seen when the next picture is
# taken, so that it may lie one picture's time after the truth, and a single tone that far off. A flash that the recorder says
# it dropped a picture at is not judged; most of them must be. With DESKTOP_SOUND=pipewire the sound is
# PipeWire's. Needs what `./dev setup` installs and a build.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
. demo/desktop.sh

readonly recorder=${CARGO_TARGET_DIR:-target}/debug/recorder fps=30
secs=20
case ${1:-} in
  '') ;;
  --all) secs=180 ;;
  *) echo 'Say tests/sync.sh or tests/sync.sh --all.' >&2 && exit 2 ;;
esac
[ -x "$recorder" ] || { echo "$recorder does not exist yet. Build it with cargo build --workspace --all-targets." >&2 && exit 1; }
state=$(mktemp -d "${TMPDIR:-/tmp}/sync.XXXXXX")
clean_up() {
  desktop_down
  rm -rf "$state"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

desktop_up "$state/desktop" || exit 1
# PipeWire tells a program the place of its sound rightly, and the stage the truth, only some twenty seconds after the stage began,
# or after the length of its blocks changed because the recorder came; so that it is held.
tones=1
if [ "${DESKTOP_SOUND:-}" = pipewire ]; then
  tones=12
  XDG_RUNTIME_DIR=$desktop_run pw-metadata -n settings 0 clock.force-quantum 1024 >"$state/quantum.log" || exit 1
fi
/usr/bin/python3 tests/stage.py --truth "$state/truth.jsonl" >"$state/stage.log" 2>&1 &
desktop_pids+=($!)
has_sounded() { [ "$(grep -c beep "$state/truth.jsonl")" -ge "$tones" ]; }
desktop_wait 60 has_sounded || { echo 'Nothing moved on the virtual screen.' >&2 && cat "$state/stage.log" >&2 && exit 1; }
"$recorder" record --out "$state/take" --seconds "$secs" --fps "$fps" >"$state/recorder.log" 2>&1 </dev/null ||
  { echo 'The take did not end well:' >&2 && cat "$state/recorder.log" >&2 && exit 1; }

video=$state/take/video.mp4
ffmpeg -nostdin -v error -i "$video" -map 0:v -vf 'crop=48:48:8:8,scale=1:1:flags=area,format=gray' -fps_mode passthrough \
  -f rawvideo "$state/corner.raw" && ffmpeg -nostdin -v error -i "$video" -map 0:a -ac 1 -ar 48000 -f s16le "$state/sound.raw" &&
  ffprobe -v error -select_streams v -show_entries packet=pts_time -of csv=p=0 "$video" >"$state/times" &&
  ffprobe -v error -select_streams a -show_entries stream=start_time -of csv=p=0 "$video" >"$state/sound_start" || exit 1

/usr/bin/python3 - "$state" "$fps" <<'PY'
import array, json, os, sys
state, interval = sys.argv[1], 1 / int(sys.argv[2])
path = lambda name: os.path.join(state, name)
take = json.load(open(path("take/recording.json")))
zero = take["clock"]["first_frame_monotonic_nanos"]
truth = [json.loads(line) for line in open(path("truth.jsonl")) if line.endswith("\n")]
times = sorted(float(line.strip(",\n")) for line in open(path("times")))
corner = open(path("corner.raw"), "rb").read()
sound = array.array("h", open(path("sound.raw"), "rb").read())
start = float(open(path("sound_start")).read().strip(",\n"))
end = times[-1]


def told(kind):
    at = [(row[kind] - zero) / 1e9 for row in truth if kind in row]
    return [t for t in at if 0.5 < t < end - 0.5]


# How long after the flash the first white picture was taken, and how far the picture before it lies from there.
flashes, unjudged, faults = [], 0, []
white = [level > 150 for level in corner]
first = [i for i in range(1, len(white)) if white[i] and not white[i - 1]]
for at in told("flash"):
    near = min(first, key=lambda i: abs(times[i] - at), default=None)
    if near is None or abs(times[near] - at) > 1:
        faults.append(f"the flash at {at:.3f} s is not in the file")
    elif times[near] - times[near - 1] > 1.5 * interval:
        unjudged += 1
    else:
        flashes.append(times[near] - at)

beeps, quiet = [], 48000
for i, sample in enumerate(sound):
    if abs(sample) > 3000:
        if quiet > 24000:
            beeps.append(start + i / 48000)
        quiet = 0
    else:
        quiet += 1
tones = []
for at in told("beep"):
    near = min(beeps, key=lambda t: abs(t - at), default=None)
    if near is None or abs(near - at) > 1:
        faults.append(f"the tone at {at:.3f} s is not in the file")
    else:
        tones.append(near - at)

BAR_MS = 21.5
middles = {}
for name, found, low in (("flash", flashes, -0.010), ("tone", tones, -interval)):
    if not found:
        faults.append(f"no {name} could be judged")
        continue
    ordered = sorted(1e3 * value for value in found)
    print(f"{name:6} {len(found):3} times: {ordered[0]:+.1f} to {ordered[-1]:+.1f} ms from the truth, {ordered[len(ordered) // 2]:+.1f} in the middle")
    middles[name] = ordered[len(ordered) // 2]
    if ordered[0] < 1e3 * low or ordered[-1] > 1e3 * interval + 1:
        faults.append(f"a {name} is more than a picture's {1e3 * interval:.0f} ms off")
# A flash waits for the next picture: half a picture's time on the mean, which is no fault of the clock.
waits_ms = 500 * interval
if len(middles) == 2:
    barred = {
        "the first tone": 1e3 * tones[0],
        "the middle of the tones": middles["tone"],
        "the middle of the flashes": middles["flash"] - waits_ms,
        "the middle of the flashes beside that of the tones": middles["flash"] - waits_ms - middles["tone"],
        "the first sound by the manifest": take["clock"]["av_offset_ms"] or 0.0,
    }
    print("; ".join(f"{name} {off:+.1f} ms" for name, off in barred.items()))
    faults += [f"{name} is {off:+.1f} ms off, more than {BAR_MS}" for name, off in barred.items() if abs(off) > BAR_MS]
if unjudged > len(flashes):
    faults.append(f"{unjudged} flashes fell on dropped pictures")
print("passed" if not faults else "FAILED: " + "; ".join(faults))
sys.exit(bool(faults))
PY
