#!/usr/bin/env bash
# What recording costs: our recorder, `ffmpeg -f x11grab` and SimpleScreenRecorder (where it is installed) at the same
# settings, one after the other, of a 1080p Chromium with sound, at 15 pictures a second.
#
#   bench/capture.sh [SECONDS]      30 of each page and recorder unless said otherwise
#
# Two pages: one that is read (a screenful in 0.7 s, then two seconds of rest, the pointer over the goods) and one of
# dense text that scrolls without a pause, the worst case. CPU seconds are those of the recording process inside the
# measured time (start and final check left out); jitter is the standard deviation of the pictures' distances from whole
# fifteenths of a second. Legible is the share of the words that tesseract reads on the raw screen and reads in the
# file's picture of it too, on the page that is read, in text of 12 px. Ends with 1 where a bar is missed: of our recorder
# on the page that is read 4 ms of jitter, 12 MB a minute and 0.95 of the words (docs/benchmarks.md), on both pages 400 MB of
# memory, 0.5 % of the pictures dropped and no more CPU than x11grab takes. Needs what `./dev setup` installs and a build; a
# release build is taken where there is one.
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
stills=()

clean_up() {
  [ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null
  desktop_down
  rm -rf "$state"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Space halts a page and lets it go on.
/usr/bin/python3 - "$state" <<'PY'
import random, sys
words = "shoes running black leather size offer price stock delivery colour return review rating cart filter brand".split()
chance = random.Random(5)
pick = lambda count: " ".join(chance.choice(words) for _ in range(count))
halt = "let going=true;addEventListener('keydown',e=>{if(e.key==' '){going=!going;e.preventDefault()}});"
lines = "".join(f"<p>{i}. {pick(60)}</p>" for i in range(2000))
open(sys.argv[1] + "/scrolling.html", "w").write(
    "<!doctype html><title>Text</title><style>body{font:14px sans-serif;margin:40px}</style>" + lines +
    f"<script>{halt}let y=0;setInterval(()=>{{if(going){{y+=4;scrollTo(0,y)}}}},33)</script>")
goods = "".join(
    f"<div><i style='background:linear-gradient({chance.randrange(180)}deg,hsl({chance.randrange(360)} 70% 50%),#fed)'></i>"
    f"<b>{pick(2).title()} {i}</b><p>{pick(28)}.</p>{chance.randrange(20, 200)}.99 EUR <button>Add to cart</button></div>"
    for i in range(1200))
open(sys.argv[1] + "/reading.html", "w").write(
    "<!doctype html><title>Shop</title><style>body{font:12px sans-serif;margin:0;background:#fafafa}"
    "div{display:inline-block;vertical-align:top;width:280px;margin:12px;padding:10px;background:#fff;border:1px solid #ddd}"
    "div:hover{border-color:#06c;background:#eef}i{display:block;height:150px;margin-bottom:8px}</style>" + goods +
    f"<script>{halt}let last=0,t=0;function step(now){{if(going)t+=now-last;last=now;"
    "const turn=Math.floor(t/2700),part=Math.min(1,t%2700/700);scrollTo(0,900*(turn+part));requestAnimationFrame(step)}"
    "requestAnimationFrame(step)</script>")
PY

# cpu PID: seconds of processor time used so far, by all threads.
cpu() {
  /usr/bin/python3 -c '
import os, sys
fields = open(f"/proc/{sys.argv[1]}/stat").read().rsplit(")", 1)[1].split()
print((int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"))' "$1"
}

# words PICTURE: what can be read on it, one a line.
words() { OMP_THREAD_LIMIT=1 tesseract "$1" - --psm 11 2>/dev/null | grep -oE '[[:alnum:].]{3,}' | sort; }

# legible FILE ENDED: the words of the raw pictures that can be read in the recorded ones of the same moments too, as a share
# of all of them. The raw ones stood still for two seconds when they were taken; ENDED is when the recorder was told to end.
legible() {
  local number there=0 read=0 length
  length=$(ffprobe -v error -show_entries format=duration -of csv=p=0 "$1")
  for number in "${!stills[@]}"; do
    # One of an earlier moment would be read in the place of one that is missing.
    rm -f "$state/kept.png"
    ffmpeg -nostdin -v error -y -ss "$(awk "BEGIN { print $length - ($2 - ${stills[$number]}) - 0.6 }")" -i "$1" -frames:v 1 "$state/kept.png"
    [ -s "$state/kept.png" ] || { echo "$1 has no picture of moment $number." >&2 && return 1; }
    words "$state/kept.png" >"$state/read"
    words "$state/raw.$number.png" >"$state/there"
    read=$((read + $(comm -12 "$state/there" "$state/read" | wc -l)))
    there=$((there + $(wc -l <"$state/there")))
  done
  echo "$read/$there"
}

# A single picture says little: a word more or less is a hundredth.
readonly still_pictures=4

# hold_still: stops the page and takes a raw picture, so many times.
hold_still() {
  local number
  stills=()
  for ((number = 0; number < still_pictures; number++)); do
    [ "$number" -eq 0 ] || { xdotool key space && sleep 2; }
    xdotool key space
    sleep 2
    ffmpeg -nostdin -v error -y -f x11grab -draw_mouse 1 -video_size "$DESKTOP_SIZE" -i "$DISPLAY" -frames:v 1 "$state/raw.$number.png"
    stills[number]=$(date +%s.%N)
  done
  sleep 0.5
}

hover() {
  while :; do
    xdotool mousemove $((RANDOM % 1800 + 60)) $((RANDOM % 900 + 90))
    sleep 0.7
  done
}

# measure NAME FILE SIGNAL COMMAND...: records, measures from the fifth second on, and adds a line of JSON. SIGNAL
# "stdin" ends it by the words that SimpleScreenRecorder takes there.
measure() {
  local name=$1 file=$2 signal=$3 before after peak ended read_share=0/1
  shift 3
  mkfifo "$state/$page.$name.in" && exec 9<>"$state/$page.$name.in"
  "$@" >"$state/$name.log" 2>&1 <&9 &
  pid=$!
  desktop_wait 30 test -s "$file" || { echo "$name did not begin:" >&2 && cat "$state/$name.log" >&2 && exit 1; }
  sleep 5
  before=$(cpu "$pid")
  sleep "$secs"
  after=$(cpu "$pid")
  peak=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$pid/status")
  if [ "$page" = reading ]; then
    hold_still
  fi
  ended=$(date +%s.%N)
  if [ "$signal" = stdin ]; then echo record-save >&9 && sleep 2 && echo quit >&9; else kill -"$signal" "$pid"; fi
  desktop_wait 60 desktop_gone "$pid" || kill -KILL "$pid"
  wait "$pid" 2>/dev/null
  pid=''
  exec 9>&-
  if [ "$page" = reading ]; then
    read_share=$(legible "$file" "$ended") || exit 1
    xdotool key space
  fi
  ffprobe -v error -select_streams v -show_entries packet=pts_time,size -of csv=p=0 "$file" >"$state/$name.packets"
  /usr/bin/python3 - "$name" "$secs" "$before" "$after" "$peak" "$state/$name.packets" "$file" "$page" "$read_share" >>"$state/rows.jsonl" <<'PY'
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
read, there = map(int, sys.argv[9].split("/"))
print(json.dumps({
    "name": name, "page": sys.argv[8], "legible": read / max(there, 1), "cpu": after - before, "dropped": 100 * missed / max(due, 1), "jitter": 1e3 * statistics.pstdev(off or [0]),
    "peak": peak / 1024, "bytes": os.path.getsize(file) / (times[-1] - times[0]) * 60 / 1e6}))
PY
}

desktop_up "$state/desktop" && desktop_browser || exit 1
/usr/bin/python3 tests/stage.py --sound-only --truth "$state/truth.jsonl" >"$state/stage.log" 2>&1 &
desktop_pids+=($!)
hover &
desktop_pids+=($!)

# The settings file that SimpleScreenRecorder would save after a person had chosen these in its window.
simplescreenrecorder_settings() {
  cat <<CONF
[input]
video_area=screen
video_frame_rate=15
video_w=${DESKTOP_SIZE%x*}
video_h=${DESKTOP_SIZE#*x}
video_record_cursor=true
audio_enabled=true
audio_backend=pulseaudio
audio_pulseaudio_source=vmic
[output]
file=$1
add_timestamp=false
container=mp4
video_codec=h264
video_h264_crf=31
video_h264_preset=2
video_options=tune=zerolatency,threads=1,g=15,aq-mode=0
video_allow_frame_skipping=true
audio_codec=other
audio_codec_av=libopus
audio_kbit_rate=40
[record]
hotkey_enable=false
CONF
}

for page in reading scrolling; do
  xdotool key ctrl+l && xdotool type "file://$state/$page.html" && xdotool key Return
  sleep 3
  measure recorder "$state/$page/video.mp4" TERM "$recorder" record --out "$state/$page" --seconds $((secs + 60))
  measure x11grab "$state/$page.ffmpeg.mp4" INT ffmpeg -nostdin -loglevel error \
    -thread_queue_size 512 -f x11grab -framerate 15 -draw_mouse 1 -video_size "$DESKTOP_SIZE" -i "$DISPLAY" \
    -thread_queue_size 512 -f pulse -i vmic \
    -c:v libx264 -preset veryfast -tune zerolatency -crf 31 -pix_fmt yuv420p -force_key_frames 'expr:gte(t,n_forced)' \
    -fps_mode passthrough -enc_time_base 1:90000 -x264-params aq-mode=0:repeat-headers=1:sliced-threads=0:threads=1:sync-lookahead=0:rc-lookahead=0 \
    -c:a libopus -b:a 40k -ac 1 -application voip -movflags empty_moov+default_base_moof+frag_keyframe -f mp4 "$state/$page.ffmpeg.mp4"
  if command -v simplescreenrecorder >/dev/null; then
    simplescreenrecorder_settings "$state/$page.ssr.mp4" >"$state/ssr.conf"
    measure SSR "$state/$page.ssr.mp4" stdin env HOME="$state" simplescreenrecorder --settingsfile="$state/ssr.conf" \
      --start-recording --start-hidden --no-systray
  fi
done

echo "1920x1080, 15 pictures a second, $secs s of each page and recorder; recorder: $recorder; $(nproc) cores"
/usr/bin/python3 - "$state/rows.jsonl" <<'PY'
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
for page in ("reading", "scrolling"):
    beside = [row for row in rows if row["page"] == page]
    print(f"{page:22} " + " ".join(f"{row['name']:>10}" for row in beside) + "   to x11grab")
    for key, label in [("cpu", "CPU seconds"), ("dropped", "dropped, %"), ("jitter", "jitter sd, ms"),
                       ("peak", "memory peak, MiB"), ("bytes", "MB a minute"), ("legible", "legible words")]:
        if key == "legible" and page != "reading":
            continue
        values = {row["name"]: row[key] for row in beside}
        ratio = f"{values['recorder'] / values['x11grab']:.2f}" if values.get("recorder") and values.get("x11grab") else "-"
        print(f"{label:22} " + " ".join(f"{row[key]:10.2f}" for row in beside) + f" {ratio:>10}")

ours = {row["page"]: row for row in rows if row["name"] == "recorder"}
peers = {row["page"]: row for row in rows if row["name"] == "x11grab"}
missed = []


def bar(what, value, limit, is_held):
    print(f"{what}: {value:.3f} (bar {limit}){'' if is_held else ', missed'}")
    if not is_held:
        missed.append(what)


for page in ("reading", "scrolling"):
    if page not in ours or page not in peers:
        missed.append(f"no figures of our recorder and of x11grab, {page}")
        continue
    row = ours[page]
    ratio = row["cpu"] / max(peers[page]["cpu"], 0.01)
    bar(f"CPU, to that of x11grab, {page}", ratio, "1 at most", ratio <= 1)
    bar(f"memory peak, MB, {page}", row["peak"] * 1.048576, "400 at most", row["peak"] * 1.048576 <= 400)
    bar(f"dropped pictures, %, {page}", row["dropped"], "0.5 at most", row["dropped"] <= 0.5)
    if page == "reading":
        bar("jitter sd, ms", row["jitter"], "4 at most", row["jitter"] <= 4)
        bar("MB a minute", row["bytes"], "12 at most", row["bytes"] <= 12)
        bar("legible words", row["legible"], "0.95 at least", row["legible"] >= 0.95)
if missed:
    sys.exit("Missed: " + "; ".join(missed) + ".")
PY
held=$?
command -v simplescreenrecorder >/dev/null || echo 'SimpleScreenRecorder is not installed (Debian: simplescreenrecorder), so it has no column.'
exit "$held"
