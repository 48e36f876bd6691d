#!/usr/bin/env bash
# Real takes of a virtual desktop that moves and speaks, killed with SIGKILL at random moments, and made whole again.
#
#   tests/kill.sh [--all]      10 takes of 4 to 6 s; with --all 100 takes of 3 to 30 s
#
# Each take must recover, be judged, decode to its end without an error, have lost at most 2.5 s of picture and sound, and play
# to its end in Chromium. Every other one is paused once and goes on before it is killed. Prints a table and how many
# passed; ends with 1 if one did not. KILL_SEED repeats a run's moments. Needs what `./dev setup` installs and a build; the
# takes that failed are kept.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
. demo/desktop.sh

readonly recorder=${CARGO_TARGET_DIR:-target}/debug/recorder
readonly limit_secs=2.5
count=10 shortest=4 longest=6
case ${1:-} in
  '') ;;
  --all) count=100 shortest=3 longest=30 ;;
  *) echo "Say tests/kill.sh or tests/kill.sh --all." >&2 && exit 2 ;;
esac
[ -x "$recorder" ] || { echo "$recorder does not exist yet. Build it with cargo build --workspace --all-targets." >&2 && exit 1; }
seed=${KILL_SEED:-$(date +%s)}
RANDOM=$seed
state=$(mktemp -d "${TMPDIR:-/tmp}/kill.XXXXXX")
recorder_pid='' passed=0 failed=0

clean_up() {
  [ -z "$recorder_pid" ] || kill -KILL "$recorder_pid" 2>/dev/null
  desktop_down
  if [ "$failed" -eq 0 ]; then rm -rf "$state"; else echo "The takes that failed are kept in $state."; fi
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# kill_after PID SECS PAUSE: kills and prints the moment on the clock that the recorder stamps with, less the time for
# which it was paused. A PAUSE of 1 pauses it for a second on the way.
kill_after() {
  /usr/bin/python3 -c '
import os, signal, sys, time
pid, secs, paused = int(sys.argv[1]), float(sys.argv[2]), 0
if sys.argv[3] == "1":
    time.sleep(secs / 2)
    began = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    os.kill(pid, signal.SIGUSR1)
    time.sleep(1)
    os.kill(pid, signal.SIGUSR1)
    paused = time.clock_gettime_ns(time.CLOCK_MONOTONIC) - began
    secs /= 2
time.sleep(secs)
at = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
os.kill(pid, signal.SIGKILL)
print(at - paused)' "$1" "$2" "$3"
}

# end_of TAKE v|a: where the last picture or sound of the take ends, in seconds.
end_of() {
  ffprobe -v error -select_streams "$2" -show_entries packet=pts_time -of csv=p=0 "$1/video.mp4" | sort -g | tail -n 1 | tr -d ,
}

# One take: prints its row, succeeds if all is well.
one() {
  local take=$state/take-$1 secs=$2 killed_at fault='' code
  "$recorder" record --out "$take" >"$take.log" 2>&1 &
  recorder_pid=$!
  desktop_wait 30 grep -q '^Recording' "$take.log" || fault='did not begin'
  killed_at=$(kill_after "$recorder_pid" "$secs" $(($1 % 2)))
  wait "$recorder_pid" 2>/dev/null
  recorder_pid=''

  "$recorder" recover "$take" >>"$take.log" 2>&1 || fault=${fault:-does not recover}
  "$recorder" check "$take" >"$take.quality.json" 2>>"$take.log"
  code=$?
  case $code in 0 | 3 | 4) ;; *) fault=${fault:-cannot be judged} ;; esac
  ! grep -qE '"(empty_file|wrong_type|corrupt_file|truncated_file|no_video_stream|no_audio_stream|av_desync)"' "$take.quality.json" ||
    fault=${fault:-is judged broken}
  # Without a time base of its own ffmpeg rounds the pictures' times and then complains that two are the same.
  ffmpeg -nostdin -v error -xerror -i "$take/video.mp4" -map 0 -enc_time_base 1:90000 -fps_mode passthrough -f null - \
    >"$take.decode.log" 2>&1 || fault=${fault:-does not decode}
  [ ! -s "$take.decode.log" ] || fault=${fault:-decodes with errors}

  /usr/bin/python3 tests/play.py "$take/video.mp4" >"$take.play.json" 2>>"$take.log" || fault=${fault:-does not play in Chromium}

  local picture sound row
  picture=$(end_of "$take" v) sound=$(end_of "$take" a)
  row=$(/usr/bin/python3 -c '
import json, sys
take, killed_at, picture, sound, limit = sys.argv[1], int(sys.argv[2]), *map(float, sys.argv[3:])
manifest = json.load(open(take + "/recording.json"))
ran = (killed_at - manifest["clock"]["first_frame_monotonic_nanos"]) / 1e9
kept = min(picture, sound)
print(f"{ran:8.2f} {picture:8.2f} {sound:8.2f} {ran - kept:6.2f} {len(manifest['"'fragments'"']):7d}")
sys.exit(ran - kept > limit)' "$take" "${killed_at:-0}" "${picture:-0}" "${sound:-0}" "$limit_secs" 2>>"$take.log") ||
    fault=${fault:-lost too much}
  printf '%4d %s  %s\n' "$1" "${row:-        -        -        -      -       -}" "${fault:-well}"
  [ -z "$fault" ] && rm -rf "$take" "$take".*
}

desktop_up "$state/desktop" || exit 1
/usr/bin/python3 tests/stage.py --truth "$state/truth.jsonl" --act >"$state/stage.log" 2>&1 &
desktop_pids+=($!)
desktop_wait 20 grep -q flash "$state/truth.jsonl" || { echo 'Nothing moved on the virtual screen.' >&2 && cat "$state/stage.log" >&2 && exit 1; }

echo "Killing $count takes after $shortest to $longest s (KILL_SEED=$seed). Times in seconds."
printf '%4s %8s %8s %8s %6s %7s  %s\n' take ran picture sound lost pieces result
for ((number = 1; number <= count; number++)); do
  moment=$(((RANDOM * 32768 + RANDOM) % ((longest - shortest) * 1000) + shortest * 1000))
  if one "$number" "$((moment / 1000)).$(printf '%03d' $((moment % 1000)))"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
  fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
