#!/usr/bin/env bash
# How long two things take that a worker and the pipeline wait for:
#
#   - from a click to the first picture that shows what it did, by the times in the take's own events and video, on a
#     virtual X11 screen whose window answers at once; at 30 and at 15 pictures a second. A picture is taken each 33 or
#     67 ms, and one more after a click, so that the longest wait has a bar: 33 ms. A picture that shows a click before it
#     happened is a fault, and so is a click that no picture shows.
#   - from the worker's confirmation to the server's answer, when the take was sent while it was recorded, over the
#     loopback; bar 2 s.
#
# Ends with 1 where a bar is missed.
#
#   bench/latency.sh [CLICKS]      40 clicks at each rate unless said otherwise
#
# Needs what `./dev setup` installs and a build.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
. demo/desktop.sh
. demo/server.sh

[ "${1:-}" != --corpus ] || shift 2
clicks=${1:-40}
if ! [[ $clicks =~ ^[0-9]{1,4}$ ]] || [ "$clicks" -lt 4 ]; then echo 'Give a whole number of clicks of at least 4.' >&2 && exit 2; fi
readonly recorder=${CARGO_TARGET_DIR:-target}/debug/recorder
state=$(mktemp -d "${TMPDIR:-/tmp}/latency.XXXXXX")
pid=''

clean_up() {
  [ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null
  server_down
  desktop_down
  rm -rf "$state"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail() {
  echo "$1" >&2
  [ -z "${2:-}" ] || tail -n 12 "$2" | sed 's/^/  /' >&2
  exit 1
}

# take NAME FPS OPTION...: records while the hand clicks.
take() {
  local name=$1 fps=$2
  shift 2
  "$recorder" record --out "$state/$name" --fps "$fps" "$@" >"$state/$name.log" 2>&1 &
  pid=$!
  desktop_wait 30 grep -q '^Recording' "$state/$name.log" || fail 'The take did not begin.' "$state/$name.log"
  /usr/bin/python3 bench/click.py "$clicks" || fail 'The hand could not click.'
  kill -TERM "$pid"
  desktop_wait 60 desktop_gone "$pid" || fail 'The take did not end.' "$state/$name.log"
  wait "$pid" || fail 'The take did not end well.' "$state/$name.log"
  pid=''
}

export COLLECTOR_DATA_DIR=$state/worker
server_up "$state/server" && server_people && server_campaign tests/road.toml 2>"$state/campaign.log" || fail 'The server did not start.'
invite=$(server_do invite create --campaign "$campaign" --tier Basic) || exit 1
"$recorder" join "collector://invite/$invite?server=$server_url" --name Test --fiverr-user tester --accept-consent \
  >"$state/join.log" 2>&1 || fail 'The recorder could not join.' "$state/join.log"
assignment=$("$recorder" goals | grep -Eo '"id": *"[0-9a-f-]{36}"' | head -n 1 | grep -Eo '[0-9a-f-]{36}')
"$recorder" claim "$assignment" >"$state/claim.log" 2>&1 || fail 'The goal could not be claimed.' "$state/claim.log"
desktop_up "$state/desktop" || exit 1

held=true
take fast 30
take usual 15 --assignment "$assignment" --upload-while-recording
for name in fast usual; do
  ffprobe -v error -select_streams v -show_entries packet=pts_time -of csv=p=0 "$state/$name/video.mp4" >"$state/$name.times"
  ffmpeg -nostdin -v error -i "$state/$name/video.mp4" -vf crop=64:64:16:16,scale=1:1:flags=area,format=gray -fps_mode passthrough \
    -enc_time_base 1:90000 -f rawvideo "$state/$name.levels" || fail 'The video does not decode.'
  /usr/bin/python3 - "$state" "$name" <<'PY' || held=false
import json, statistics, sys
state, name = sys.argv[1:]
times = [float(line.strip(",\n")) for line in open(f"{state}/{name}.times") if line.strip()]
levels = open(f"{state}/{name}.levels", "rb").read()
changes = [t for t, was, level in zip(times[1:], levels, levels[1:]) if (was > 128) != (level > 128)]
clicks = [event["t"] for event in map(json.loads, open(f"{state}/{name}/events.jsonl")) if event["kind"] == "click"]
waits = []
for change in changes:
    near = min(clicks, key=lambda t: abs(change - t))
    if abs(change - near) < 0.4:
        waits.append(1e3 * (change - near))
waits.sort()
if not waits:
    sys.exit("The clicks are not in the take.")
print(f"click to picture, {'30' if name == 'fast' else '15'} a second: {len(waits)} clicks of {len(clicks)}; "
      f"{waits[0]:.1f} ms at least, {statistics.median(waits):.1f} the median, {statistics.mean(waits):.1f} the mean, {waits[-1]:.1f} at most (bar 33 ms)")
missed = [f"{len(clicks) - len(waits)} clicks were never seen"] if len(waits) < len(clicks) else []
missed += [f"one was seen {-waits[0]:.1f} ms before it happened"] if waits[0] < 0 else []
missed += [f"one was seen {waits[-1]:.1f} ms after it happened"] if waits[-1] > 33 else []
if missed:
    sys.exit("Missed: " + "; ".join(missed) + ".")
PY
done
began=$(date +%s%N)
"$recorder" submit "$state/usual" --assignment "$assignment" >"$state/submission" 2>"$state/submit.log" ||
  fail 'The take could not be handed in.' "$state/submit.log"
took=$((($(date +%s%N) - began) / 1000000))
echo "confirmation to submitted, after upload while recording: $took ms for $(stat -c %s "$state/usual/video.mp4") bytes (bar 2000 ms)"
[ "$took" -le 2000 ] || { echo "Missed: $took ms from the confirmation to the answer." >&2 && held=false; }
$held
