#!/usr/bin/env bash
# Does a long take with an encoder that is too slow for it need ever more memory, and does it tell what it loses?
#
#   tests/rss.sh [--all]      a take of 40 s; with --all of 60 minutes (RSS_SECS sets another length)
#
# Records the moving test card at 1280x720, 15 pictures a second, and a virtual microphone in which a beep sounds every
# second, with a libx264 that needs 120 ms longer for each picture (tests/slow_encoder.c): twice as long as there is.
# Every half second, with --all every 5 s, the resident memory of the recorder is read. Passes if after the first
# quarter it never stands more than 24 MiB above the level at that quarter's end and, in takes of 10 minutes and more (the
# allocator needs the first ones to fill its arenas), grows by less than 1 MiB a minute;
# if the worker was told that pictures are lost, the manifest counts them, and counted and recorded pictures together
# are those that were due; if no sound is lost, no second is without a picture, and the file decodes to its end.
# Needs what `./dev setup` installs and a build.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
. demo/desktop.sh

readonly recorder=${CARGO_TARGET_DIR:-target}/debug/recorder
secs=40 every=0.5
case ${1:-} in
  '') ;;
  --all) secs=3600 every=5 ;;
  *) echo "Say tests/rss.sh or tests/rss.sh --all." >&2 && exit 2 ;;
esac
secs=${RSS_SECS:-$secs}
[ -x "$recorder" ] || { echo "$recorder does not exist yet. Build it with cargo build --workspace --all-targets." >&2 && exit 1; }
state=$(mktemp -d "${TMPDIR:-/tmp}/rss.XXXXXX")
pid=''

clean_up() {
  [ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null
  desktop_down
  rm -rf "$state"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

cc -O1 -Wall -Werror -shared -fPIC -o "$state/slow.so" tests/slow_encoder.c -ldl || exit 1
desktop_up "$state/desktop" || exit 1
/usr/bin/python3 tests/stage.py --sound-only --truth "$state/truth.jsonl" >"$state/stage.log" 2>&1 &
desktop_pids+=($!)

LD_PRELOAD=$state/slow.so SLOW_ENCODER_MS=120 "$recorder" record --screen synthetic --seconds "$secs" --out "$state/take" \
  >"$state/recorder.log" 2>&1 </dev/null &
pid=$!
desktop_wait 60 grep -q '^Recording' "$state/recorder.log" || { echo 'The take did not begin:' >&2 && cat "$state/recorder.log" >&2 && exit 1; }
began=$SECONDS
while [ $((SECONDS - began)) -lt "$secs" ] && ! desktop_gone "$pid"; do
  sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$pid/status" 2>/dev/null >>"$state/rss"
  sleep "$every"
done
desktop_wait 300 desktop_gone "$pid" || { echo 'The take did not end.' >&2 && exit 1; }
wait "$pid"
status=$?
pid=''

ffmpeg -nostdin -v error -xerror -i "$state/take/video.mp4" -map 0 -enc_time_base 1:90000 -fps_mode passthrough -f null - \
  >"$state/decode.log" 2>&1 || echo 'It does not decode.' >>"$state/decode.log"
ffprobe -v error -select_streams v -show_entries packet=pts_time -of csv=p=0 "$state/take/video.mp4" >"$state/packets"
/usr/bin/python3 - "$state" "$secs" "$every" "$status" <<'PY'
import json, os, sys
state, secs, every, status = sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
read = lambda name: open(os.path.join(state, name)).read()
rss = [int(line) / 1024 for line in read("rss").split()]
steady = rss[len(rss) // 4:]
minutes = [i * secs / 60 / len(rss) for i in range(len(steady))]
mean_t, mean = sum(minutes) / len(minutes), sum(steady) / len(steady)
slope = sum((t - mean_t) * (v - mean) for t, v in zip(minutes, steady)) / sum((t - mean_t) ** 2 for t in minutes)
take = json.loads(read("take/recording.json"))
frames, dropped = take["frames"], sum(take["frames"]["dropped_per_second"].values())
times = sorted(float(line.strip(",\n")) for line in read("packets").split())
hole = max(b - a for a, b in zip(times, times[1:]))
silence = sum(gap["end"] - gap["start"] for gap in take.get("gaps", []))
told = [event["kind"] for event in take["health"]]
print(f"{times[-1]:.0f} s of take, {len(rss)} readings")
print(f"memory      {rss[0]:.1f} MiB at first, {steady[0]:.1f} after a quarter, {rss[-1]:.1f} at last, {max(rss):.1f} at most; {slope:+.3f} MiB a minute")
print(f"pictures    {frames['due']} due, {frames['captured']} recorded, {dropped} dropped; longest hole {hole:.2f} s")
print(f"sound       {silence:.2f} s of silence put in; told: {', '.join(told) or 'nothing'}")
print(f"file        {os.path.getsize(os.path.join(state, 'take/video.mp4')) / 1e6:.1f} MB; decoding: {read('decode.log').strip() or 'no error'}")
faults = [fault for fault, is_so in [
    (f"the recorder ended with {status}", status != 0),
    ("the memory grows", secs >= 600 and slope > 1.0),
    ("the memory rises", max(steady) > steady[0] + 24),
    ("nothing was dropped, so the encoder was not slow", dropped == 0),
    ("the counts do not add up", frames["due"] != frames["captured"] + dropped),
    ("nobody was told of lost pictures", not any("drop" in kind or "slow" in kind or "busy" in kind for kind in told)),
    ("sound was lost", silence > 0.5),
    ("a second is without a picture", hole > 1.5),
    ("the take is too short", times[-1] < secs - 2),
    ("the file is damaged", bool(read("decode.log").strip())),
] if is_so]
print("passed" if not faults else "FAILED: " + "; ".join(faults))
sys.exit(bool(faults))
PY
