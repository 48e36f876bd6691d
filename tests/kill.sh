#!/usr/bin/env bash
# Real takes of a virtual desktop that moves and speaks, killed with SIGKILL at random moments, and made whole again.
#
#   tests/kill.sh [--all]      3 takes of 4 to 10 s; with --all 20 takes of 5 to 60 s
#
# Each take must recover, be judged, decode to its end without an error, and have lost at most 2.5 s of picture and
# sound. Prints a table and how many passed; ends with 1 if one did not. KILL_SEED repeats a run's moments. Needs what
# `./dev setup` installs and a build; the takes that failed are kept.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
. demo/desktop.sh

readonly recorder=${CARGO_TARGET_DIR:-target}/debug/recorder
readonly limit_secs=2.5
count=3 shortest=4 longest=10
case ${1:-} in
  '') ;;
  --all) count=20 shortest=5 longest=60 ;;
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

# kill_after PID SECS: kills and prints the moment on the clock that the recorder stamps with.
kill_after() {
  /usr/bin/python3 -c '
import os, signal, sys, time
time.sleep(float(sys.argv[2]))
at = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
os.kill(int(sys.argv[1]), signal.SIGKILL)
print(at)' "$1" "$2"
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
  killed_at=$(kill_after "$recorder_pid" "$secs")
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
