#!/usr/bin/env bash
# What recording costs: our recorder and `ffmpeg -f x11grab` at the same settings, one after the other, of a 1080p
# Chromium that scrolls a page of text, with sound, at 15 pictures a second.
#
#   bench/capture.sh [SECONDS]      30 each unless said otherwise
#
# CPU seconds are those of the recording process inside the measured time (start and final check left out); jitter is
# the standard deviation of the pictures' distances from whole fifteenths of a second. Needs what `./dev setup` installs and a
# build; a release build is taken where there is one.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
export DESKTOP_SIZE=1920x1080
. demo/desktop.sh

secs=${1:-30}
if ! [[ $secs =~ ^[0-9]{1,4}$ ]] || [ "$secs" -lt 5 ]; then echo "Give a whole number of seconds of at least 5." >&2 && exit 2; fi
target=${CARGO_TARGET_DIR:-target}
recorder=$target/release/recorder
[ -x "$recorder" ] || recorder=$target/debug/recorder
[ -x "$recorder" ] || { echo "$recorder does not exist yet. Build it with cargo build --release -p recorder-core." >&2 && exit 1; }
state=$(mktemp -d "${TMPDIR:-/tmp}/capture.XXXXXX")
pid=''

clean_up() {
  [ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null
  desktop_down
  rm -rf "$state"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

/usr/bin/python3 - "$state/page.html" <<'PY'
import random, sys
words = "shoes running black leather size offer price stock delivery colour return review rating cart filter brand".split()
chance = random.Random(5)
lines = "".join(f"<p>{i}. " + " ".join(chance.choice(words) for _ in range(60)) + "</p>" for i in range(2000))
open(sys.argv[1], "w").write(
    "<!doctype html><title>Text</title><style>body{font:14px sans-serif;margin:40px}</style>" + lines +
    "<script>let y=0;setInterval(()=>{y+=4;scrollTo(0,y)},33)</script>")
PY

# cpu PID: seconds of processor time used so far, by all threads.
cpu() {
  /usr/bin/python3 -c '
import os, sys
fields = open(f"/proc/{sys.argv[1]}/stat").read().rsplit(")", 1)[1].split()
print((int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"))' "$1"
}

# measure NAME FILE SIGNAL COMMAND...: records, measures from the fifth second on, and adds a line of JSON.
measure() {
  local name=$1 file=$2 signal=$3 before after peak
  shift 3
  "$@" >"$state/$name.log" 2>&1 </dev/null &
  pid=$!
  desktop_wait 30 test -s "$file" || { echo "$name did not begin:" >&2 && cat "$state/$name.log" >&2 && exit 1; }
  sleep 5
  before=$(cpu "$pid")
  sleep "$secs"
  after=$(cpu "$pid")
  peak=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$pid/status")
  kill -"$signal" "$pid"
  desktop_wait 60 desktop_gone "$pid" || kill -KILL "$pid"
  wait "$pid" 2>/dev/null
  pid=''
  ffprobe -v error -select_streams v -show_entries packet=pts_time,size -of csv=p=0 "$file" >"$state/$name.packets"
  /usr/bin/python3 - "$name" "$secs" "$before" "$after" "$peak" "$state/$name.packets" "$file" >>"$state/rows.jsonl" <<'PY'
import json, os, statistics, sys
name, packets, file = sys.argv[1], sys.argv[6], sys.argv[7]
secs, before, after, peak = map(float, sys.argv[2:6])
times = sorted(float(line.split(",")[0]) for line in open(packets) if line.strip())
window = [t for t in times if 5 <= t <= 5 + secs]
gaps = [b - a for a, b in zip(window, window[1:])]
off = [gap - max(1, round(gap * 15)) / 15 for gap in gaps]
due = sum(max(1, round(gap * 15)) for gap in gaps)
missed = due - len(gaps)
manifest = os.path.join(os.path.dirname(file), "recording.json")
if os.path.exists(manifest):
    # Pictures that were left out because nothing had changed are not missed; the manifest tells them apart.
    counts = json.load(open(manifest))["frames"]["dropped_per_second"]
    missed = sum(count for second, count in counts.items() if 5 <= int(second) < 5 + secs)
print(json.dumps({
    "name": name, "cpu": after - before, "dropped": 100 * missed / due, "jitter": 1e3 * statistics.pstdev(off),
    "peak": peak / 1024, "bytes": os.path.getsize(file) / (times[-1] - times[0]) * 60 / 1e6}))
PY
}

desktop_up "$state/desktop" && desktop_browser || exit 1
/usr/bin/python3 tests/stage.py --sound-only --truth "$state/truth.jsonl" >"$state/stage.log" 2>&1 &
desktop_pids+=($!)
xdotool key ctrl+l && xdotool type "file://$state/page.html" && xdotool key Return
sleep 3

measure recorder "$state/take/video.mp4" TERM "$recorder" record --out "$state/take" --seconds $((secs + 60))
measure ffmpeg "$state/ffmpeg.mp4" INT ffmpeg -nostdin -loglevel error \
  -thread_queue_size 512 -f x11grab -framerate 15 -draw_mouse 1 -video_size "$DESKTOP_SIZE" -i "$DISPLAY" \
  -thread_queue_size 512 -f pulse -i vmic \
  -c:v libx264 -preset veryfast -tune zerolatency -crf 24 -pix_fmt yuv420p -force_key_frames 'expr:gte(t,n_forced)' \
  -fps_mode passthrough -enc_time_base 1:90000 -x264-params repeat-headers=1:sliced-threads=0:threads=1:sync-lookahead=0:rc-lookahead=0 \
  -c:a libopus -b:a 40k -ac 1 -application voip -movflags empty_moov+default_base_moof+frag_keyframe -f mp4 "$state/ffmpeg.mp4"

echo "1920x1080, 15 pictures a second, $secs s of a scrolling page each; recorder: $recorder; $(nproc) cores"
/usr/bin/python3 - "$state/rows.jsonl" <<'PY'
import json, sys
ours, peer = [json.loads(line) for line in open(sys.argv[1])]
print(f"{'':22} {'recorder':>10} {'x11grab':>10} {'ratio':>7}")
for key, label in [("cpu", "CPU seconds"), ("dropped", "dropped, %"), ("jitter", "jitter sd, ms"),
                   ("peak", "memory peak, MiB"), ("bytes", "MB a minute")]:
    ratio = f"{ours[key] / peer[key]:7.2f}" if peer[key] else f"{'-':>7}"
    print(f"{label:22} {ours[key]:10.2f} {peer[key]:10.2f} {ratio}")
PY
