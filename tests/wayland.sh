#!/usr/bin/env bash
# Records a Wayland desktop with the real recorder, through the desktop's own portal, and looks at what it recorded.
#
#   tests/wayland.sh [--all]
#
# The desktop is made for it and seen by nobody (tests/wayland_session.sh). Its background changes colour at known times
# while 10 s are recorded (with --all 60 s, twice); the colours must be in the file, in their order and at their time, a still
# screen must have a picture each second and one at the end, and a desktop that moves no more pictures than were asked for.
# A screen that is not allowed, and a desktop without a portal or without a bus, must be told in a sentence; so must the
# death of PipeWire, or of the portal's part for the desktop, during a take, which it ends. After the latter the same program
# can share the screen again. The recorder is built with the feature `wayland` for this.
#
# Only with --all, and again when what it rests on has changed:
# inputs: tests/wayland.sh tests/wayland_session.sh Cargo.lock recorder-app/capture recorder-app/recorder-core/src shared-types/media/src
# packages: sway swaybg xwayland pipewire wireplumber dbus dbus-user-session xdg-desktop-portal xdg-desktop-portal-wlr libpipewire-0.3-dev libspa-0.2-dev libdbus-1-dev ffmpeg
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

secs=10 takes=1
case ${1:-} in
  '') ;;
  --all) secs=60 takes=2 ;;
  --inside) ;;
  *) echo "Say tests/wayland.sh or tests/wayland.sh --all." >&2 && exit 2 ;;
esac

fail() { echo "$1" >&2 && exit 1; }

# refused HINT NAME: recording, by the command `on` where there is one, must fail with a sentence that holds the hint.
on=()
refused() {
  timeout 60 "${on[@]}" "$recorder" record --out "$state/$2" --seconds 2 --mic none >"$state/$2.log" 2>&1 && fail "$2: it recorded all the same."
  grep -q "$1" "$state/$2.log" || { cat "$state/$2.log" >&2 && fail "$2: the message does not say \"$1\"."; }
  ! grep -q panicked "$state/$2.log" || fail "$2: a panic was printed."
  echo "$2: $(grep -m 1 "$1" "$state/$2.log")"
}

# dies PROGRAM: of the desktop, at once.
dies() { kill -KILL "$(cat "$state/$1.pid")" || fail "$1 did not run."; }

# until_true COMMAND...: for half a minute at most.
until_true() {
  local tries
  for ((tries = 0; tries < 300; tries++)); do
    "$@" >/dev/null 2>&1 && return 0
    sleep 0.1
  done
  fail "$* is not so."
}

is_larger() { [ "$(stat -c %s "$1")" -gt "$2" ]; }

# moves: changes the background again and again. A sharing of a still screen may wait for its first picture.
moves() {
  while swaymsg -q output HEADLESS-1 background "#$(printf %06x $((RANDOM * 8)))" solid_color; do sleep 0.3; done
}

is_portal_whole() {
  [ "$(cat "$state/portal-wlr.pid")" != "$1" ] && dbus-send --session --print-reply --dest=org.freedesktop.DBus / \
    org.freedesktop.DBus.GetNameOwner string:org.freedesktop.impl.portal.desktop.wlr
}

# ended NAME PROGRAM: when the program of the desktop dies, the take ends by itself, is kept, and says what to do.
ended() {
  local pid code
  timeout -s KILL 60 "$recorder" record --out "$state/$1" --seconds 300 --mic none >"$state/$1.log" 2>&1 &
  pid=$!
  # Its first second is on the disk: by then the sharing is watched.
  until_true is_larger "$state/$1/video.mp4" 2048
  dies "$2"
  wait "$pid"
  code=$?
  [ "$code" -eq 1 ] || { cat "$state/$1.log" >&2 && fail "$1: the recorder ended with $code."; }
  grep -q '"kind": "screen_lost"' "$state/$1/recording.json" && grep -q 'share the screen once more' "$state/$1.log" ||
    { cat "$state/$1.log" >&2 && fail "$1: nobody was told."; }
  echo "$1: $(grep -m 1 'share the screen once more' "$state/$1.log")"
}

# One program shares the screen again and again, though the portal's part for the desktop dies each time.
shared_again() {
  local line before=''
  coproc sharing { timeout -s KILL 120 "$state/sharing" --nocapture --test-threads 1 2>"$state/sharing.log"; }
  while read -r line <&"${sharing[0]}"; do
    case $line in
      *shared) before=$(cat "$state/portal-wlr.pid") && dies portal-wlr && echo >&"${sharing[1]}" ;;
      *over) until_true is_portal_whole "$before" && echo >&"${sharing[1]}" ;;
      'test result: ok. 2 passed'*) echo 'shared again: well' && return ;;
    esac
  done
  cat "$state/sharing.log" >&2 && fail 'The screen cannot be shared again.'
}

# In the desktop: records while the background changes.
if [ "${1:-}" = --inside ]; then
  recorder=$2 state=$3 secs=$4 takes=$5
  "$recorder" devices >"$state/devices.json" 2>/dev/null
  grep -q '"portal"' "$state/devices.json" || fail "The desktop's portal is not among the screens."
  for ((take = 1; take <= takes; take++)); do
    "$recorder" record --out "$state/take-$take" --seconds "$secs" --mic none >"$state/take-$take.log" 2>&1 &
    pid=$!
    /usr/bin/python3 - "$pid" "$state/truth-$take" <<'PY'
import os, subprocess, sys, time
pid, truth = int(sys.argv[1]), open(sys.argv[2], "w", buffering=1)
colours = ["d02020", "20d020", "2020d0"]
number = 0
# Long stretches in which nothing changes are part of it.
while os.path.exists(f"/proc/{pid}") and open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0] != "Z":
    colour = colours[number % 3]
    subprocess.run(["swaymsg", "-q", "output", "HEADLESS-1", "background", f"#{colour}", "solid_color"], check=True)
    truth.write(f"{time.clock_gettime_ns(time.CLOCK_MONOTONIC)} {colour}\n")
    number += 1
    time.sleep(3.5 if number % 4 == 0 else 0.8)
PY
    wait "$pid"
    code=$?
    [ "$code" -eq 0 ] || { cat "$state/take-$take.log" >&2 && fail "The recorder ended with $code."; }
    tail -n 1 "$state/take-$take.log"
  done
  choice=$(cat "$state/choice")
  : >"$state/choice"
  refused 'was not allowed' refusal
  cat >"$state/bare.conf" <<'XML'
<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=/tmp</listen>
  <policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>
XML
  on=(dbus-run-session "--config-file=$state/bare.conf" --)
  refused 'Install xdg-desktop-portal' no-portal
  on=(env DBUS_SESSION_BUS_ADDRESS=unix:path=/nowhere)
  refused 'Install xdg-desktop-portal' no-bus
  echo "$choice" >"$state/choice"
  moves &
  moving=$!
  shared_again
  ended portal-died portal-wlr
  ended pipewire-died pipewire
  kill "$moving"
  exit 0
fi

if [ "$(id -u)" -eq 0 ] && ! unshare --user --map-user=1000 --map-group=1000 true 2>/dev/null; then
  echo 'sway does not run as root, and this machine lets root make no user namespace' && exit 77
fi
state=$(mktemp -d "${TMPDIR:-/tmp}/wayland.XXXXXX")
trap '[ $? -ne 0 ] && echo "What it left is in $state." >&2 || rm -rf "$state"' EXIT
# A test is named beside the program so that the dependencies are those of every other build.
cargo build --workspace --locked --features capture/wayland --bin recorder --test house --test wayland || exit 1
recorder=$state/recorder
built=$(find "${CARGO_TARGET_DIR:-target}/debug/deps" -name 'wayland-*' -executable -printf '%T@ %p\n' | sort -n | tail -n 1)
cp "${built#* }" "$state/sharing" || exit 1
cp "${CARGO_TARGET_DIR:-target}/debug/recorder" "$recorder" || exit 1
# What lies there for others is put back; nothing is compiled for it.
cargo build --workspace --locked --bin recorder --test house || exit 1
tests/wayland_session.sh "$state" "$PWD/tests/wayland.sh" --inside "$recorder" "$state" "$secs" "$takes" || exit 1

for ((take = 1; take <= takes; take++)); do
  /usr/bin/python3 - "$state/take-$take" "$state/truth-$take" "$secs" <<'PY' || exit 1
import json, subprocess, sys
folder, truth, secs = sys.argv[1], sys.argv[2], float(sys.argv[3])
manifest = json.load(open(f"{folder}/recording.json"))
assert manifest["system"]["display"] == "wayland", manifest["system"]
assert manifest["screen"]["width"] == 1280 and manifest["screen"]["height"] == 720, manifest["screen"]
told = manifest["input_events"]
assert not told["recorded"] and "Wayland" in told["reason"], told
video = f"{folder}/video.mp4"
times = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "frame=best_effort_timestamp_time",
                        "-of", "csv=p=0", video], check=True, capture_output=True, text=True).stdout
times = [float(line.strip(",")) for line in times.split()]
decode = ["ffmpeg", "-v", "error", "-xerror", "-i", video, "-fps_mode", "passthrough", "-enc_time_base", "1:90000",
          "-vf", "scale=1:1:flags=area", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
pixels = subprocess.run(decode, check=True, capture_output=True).stdout
assert len(pixels) == 3 * len(times), (len(pixels), len(times))
assert abs(times[-1] - secs) < 1.5, f"it is {times[-1]} s long and not {secs}"
gap = max(after - before for before, after in zip(times, times[1:]))
assert gap < 1.5, f"a still screen has a picture a second, and here {gap:.2f} s passed without one"
fps, due = manifest["screen"]["fps"], manifest["frames"]["due"]
assert len(times) <= due + 2, f"{len(times)} pictures for {due} times at which one was due"
assert due / fps - times[-1] < 0.3, f"the last picture is at {times[-1]:.2f} s, and the take went on to {due / fps:.2f} s"

def name(pixel):
    strongest = max(range(3), key=lambda channel: pixel[channel])
    others = [value for channel, value in enumerate(pixel) if channel != strongest]
    return ["d02020", "20d020", "2020d0"][strongest] if pixel[strongest] > 2 * max(others) else None

seen = []
for at, number in zip(times, range(len(times))):
    colour = name(pixels[3 * number:3 * number + 3])
    if colour and (not seen or seen[-1][1] != colour):
        seen.append((at, colour))
zero = manifest["clock"]["first_frame_monotonic_nanos"]
shown = [((int(at) - zero) / 1e9, colour) for at, colour in (line.split() for line in open(truth))]
expected = [(at, colour) for at, colour in shown if 0.3 < at < secs - 1.0]
assert len(expected) >= 3, f"the background changed {len(expected)} times only"
late = []
for at, colour in expected:
    found = [when for when, what in seen if what == colour and -0.5 < when - at < 1.2]
    assert found, f"{colour} shown at {at:.2f} s is not in the picture: {seen}"
    late.append(found[0] - at)
print(f"{len(times)} pictures in {times[-1]:.1f} s; {len(expected)} changes of colour, seen {min(late):+.2f} to {max(late):+.2f} s after sway was told")
PY
done
