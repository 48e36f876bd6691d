#!/usr/bin/env bash
# The whole route on one machine: a desktop nobody sees, a person who shops and talks in it, the real recorder, the
# real pipeline, and the truth to measure both by. Called by `./dev demo`; needs what `./dev setup` installs and a build.
#
#   demo/run.sh [--seconds N] [--keep] [--check]
#
# --keep keeps the take of the run before; --check only looks whether the arguments are right.
# Ends with 1 if fewer than 95 of 100 Steps were found (F1) or over 15 of 100 words were misheard.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
. demo/desktop.sh

readonly state=.collector/demo take=.collector/demo/take result=.collector/demo/result logs=.collector/demo/logs
readonly goal="Find black running shoes under \$100"
readonly target=${CARGO_TARGET_DIR:-target}/debug
seconds=75 keep=false only_check=false
recorder_pid='' driver_pid='' phase_began=$SECONDS phases=()

wrong_use() {
  echo "$1" >&2
  exit 2
}

while [ $# -gt 0 ]; do
  case $1 in
    --seconds)
      if ! [[ ${2:-} =~ ^[0-9]{1,4}$ ]] || [ "$2" -lt 25 ]; then wrong_use 'Give --seconds a whole number of at least 25.'; fi
      seconds=$2
      shift
      ;;
    --keep) keep=true ;;
    --check) only_check=true ;;
    *) wrong_use "The demo does not know \"$1\": it takes --seconds N and --keep." ;;
  esac
  shift
done
! $only_check || exit 0

heading() { if [ -t 1 ]; then printf '\n\033[1m%s\033[0m\n' "$1"; else printf '\n%s\n' "$1"; fi; }

# phase NAME: notes the seconds since the last one.
phase() {
  phases+=("$(printf '%4d s  %s' $((SECONDS - phase_began)) "$1")")
  phase_began=$SECONDS
}

# stop PID SIGNAL SECONDS: asks, waits, then insists.
stop() {
  [ -n "$1" ] && kill -"$2" "$1" 2>/dev/null || return 0
  desktop_wait "$3" desktop_gone "$1" || kill -KILL "$1" 2>/dev/null
}

clean_up() {
  trap '' INT TERM
  stop "$driver_pid" TERM 5
  stop "$recorder_pid" TERM 20
  desktop_down
}

fail() {
  echo "$1" >&2
  [ -z "${2:-}" ] || { echo "The last lines of $2:" >&2 && tail -n 12 "$2" | sed 's/^/  /' >&2; }
  exit 1
}

prepare() {
  local program
  for program in recorder pipeline; do
    [ -x "$target/$program" ] || fail "$target/$program does not exist yet. Run ./dev demo, or cargo build --workspace --all-targets."
  done
  if $keep && [ -e "$take" ]; then
    local old
    old=.collector/demo-$(date -r "$take" +%Y%m%d-%H%M%S)
    mkdir -p "$old" && mv "$take" "$result" "$old/" 2>/dev/null
    echo "The take before is kept in $old."
  fi
  rm -rf "$take" "$result" "$logs" "$state/ready" && mkdir -p "$state" "$logs"
}

record() {
  [ -z "${DISPLAY:-}" ] || echo 'The demo runs on a virtual screen: your own pointer, keyboard and sound stay yours.'
  desktop_up "$logs" || exit 1
  desktop_browser || exit 1
  /usr/bin/python3 demo/drive.py --out "$state" --seconds "$seconds" --after "$take/video.mp4" >"$logs/driver.log" 2>&1 &
  driver_pid=$!
  desktop_wait 60 test -e "$state/ready" || fail 'The demo could not prepare its voice and its shop.' "$logs/driver.log"
  phase 'desktop, browser, shop and voice started'

  echo "Recording a take of about $seconds s: \"$goal\""
  "$target/recorder" record --out "$take" --seconds $((seconds + 60)) --goal "$goal" >"$logs/recorder.log" 2>&1 &
  recorder_pid=$!
  wait -n "$driver_pid" "$recorder_pid"
  local status=$?
  if desktop_gone "$recorder_pid"; then
    fail 'The recorder ended before the take was over.' "$logs/recorder.log"
  fi
  [ "$status" -eq 0 ] || fail 'The demo'\''s person stopped early.' "$logs/driver.log"
  driver_pid=''
  # Not INT: a shell starts its background programs with INT ignored.
  kill -TERM "$recorder_pid"
  desktop_wait 60 desktop_gone "$recorder_pid" || fail 'The recorder did not end within a minute of being asked.' "$logs/recorder.log"
  wait "$recorder_pid" || fail 'The recorder did not end the take well.' "$logs/recorder.log"
  recorder_pid=''
  desktop_down
  phase 'take recorded'
}

judge() {
  heading 'From the take to training examples'
  "$target/pipeline" run "$take" --out "$result" --goal "$goal" --policy demo/policy.toml || fail 'The pipeline could not finish.'
  phase 'pipeline: checked, heard, read and written'
}

measure() {
  /usr/bin/python3 demo/truth.py --shift "$state/truth.raw.json" --recording "$take/recording.json" --out "$state" || exit 1
  "$target/pipeline" score --predicted "$result/steps.jsonl" --truth "$state/truth.steps.jsonl" \
    --transcript "$result/transcript.json" --truth-transcript "$state/truth.narration.json" >"$state/score.json" ||
    fail 'The score could not be worked out.'
  heading 'Against what was really done and said'
  /usr/bin/python3 demo/verdict.py "$state/score.json" "$result/quality.json"
}

trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
prepare
record
judge
measure
passed=$?
phase 'compared with the truth'

heading 'Where things are'
cat <<TEXT
  $take/            the recording: video.mp4, events.jsonl, recording.json
  $result/report.html   open this in a browser: every Step with its pictures
  $result/examples.jsonl   the training examples, with frames/ beside them
  $state/score.json, truth.steps.jsonl, truth.narration.json   the measure and the truth
  $logs/            what the programs said
TEXT
heading 'Times'
printf '  %s\n' "${phases[@]}"
exit "$passed"
