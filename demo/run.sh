#!/usr/bin/env bash
# The whole road on one machine: a desktop nobody sees, a person who shops and talks in it, the real recorder, server
# and pipeline from invite to dataset, and the truth to measure the result by. Called by `./dev demo`; needs what
# `./dev setup` installs and a build.
#
#   demo/run.sh [--seconds N] [--keep] [--check]
#
# --keep leaves the server running for the review page; --check only looks whether the arguments are right.
# Ends with 1 if a step of the road fails, fewer than 95 of 100 Steps were found (F1) or over 15 of 100 words misheard.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
. demo/desktop.sh
. demo/server.sh

readonly state=.collector/demo take=.collector/demo/take result=.collector/demo/result logs=.collector/demo/logs
readonly dataset=.collector/demo/dataset
readonly target=${CARGO_TARGET_DIR:-target}/debug
# Work of the pipeline on a slow machine: ten times the take, and its start.
readonly patience_per_second=10 patience_at_least=300
seconds=75 keep=false only_check=false
recorder_pid='' driver_pid='' pipeline_pid='' submission='' phase_began=$SECONDS phases=()

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
  stop "$pipeline_pid" TERM 20
  if ! $keep || [ -z "$submission" ]; then server_down; fi
  desktop_down
}

fail() {
  echo "$1" >&2
  [ -z "${2:-}" ] || { echo "The last lines of $2:" >&2 && tail -n 12 "$2" | sed 's/^/  /' >&2; }
  exit 1
}

prepare() {
  local program
  for program in recorder pipeline ingest-server; do
    [ -x "$target/$program" ] || fail "$target/$program does not exist yet. Run ./dev demo, or cargo build --workspace --all-targets."
  done
  # A server that an earlier demo left running.
  [ ! -e "$state/server.pid" ] || stop "$(cat "$state/server.pid")" TERM 10
  rm -rf "$take" "$result" "$dataset" "$logs" "$state/server" "$state/worker" "$state/ready" "$state/server.pid"
  mkdir -p "$state" "$logs"
}

open_campaign() {
  server_up "$state/server" || exit 1
  echo "$server_pid" >"$state/server.pid"
  server_people || fail 'The server took no admin.'
  server_campaign demo/campaign.toml || fail 'The server took no campaign.'
  COLLECTOR_TOKEN=$pipeline_token "$target/pipeline" work --server "$server_url" >"$logs/pipeline.log" 2>&1 &
  pipeline_pid=$!
  phase 'server, campaign and pipeline worker started'
}

# The worker's part, with the recorder that has no window.
join() {
  export COLLECTOR_DATA_DIR=$PWD/$state/worker
  local invite
  invite=$(server_do invite create --campaign "$campaign" --tier Standard) || fail 'No invite could be made.'
  "$target/recorder" join "collector://invite/$invite?server=$server_url" --name 'Demo Person' --fiverr-user demo_person \
    --accept-consent >"$logs/join.log" 2>&1 || fail 'The recorder could not join.' "$logs/join.log"
  assignment=$("$target/recorder" goals | grep -Eo '"id": *"[0-9a-f-]{36}"' | head -n 1 | grep -Eo '[0-9a-f-]{36}') ||
    fail 'The server offers no goal.'
  "$target/recorder" claim "$assignment" >"$logs/claim.log" 2>&1 || fail 'The goal could not be claimed.' "$logs/claim.log"
  phase 'invite used, consent given, goal claimed'
}

record() {
  [ -z "${DISPLAY:-}" ] || echo 'The demo runs on a virtual screen: your own pointer, keyboard and sound stay yours.'
  desktop_up "$logs" || exit 1
  desktop_browser || exit 1
  /usr/bin/python3 demo/drive.py --out "$state" --seconds "$seconds" --after "$take/video.mp4" >"$logs/driver.log" 2>&1 &
  driver_pid=$!
  desktop_wait 60 test -e "$state/ready" || fail 'The demo could not prepare its voice and its shop.' "$logs/driver.log"
  phase 'desktop, browser, shop and voice started'

  echo "Recording a take of about $seconds s"
  "$target/recorder" record --out "$take" --seconds $((seconds + 60)) --assignment "$assignment" >"$logs/recorder.log" 2>&1 &
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

submit() {
  submission=$("$target/recorder" submit "$take" --assignment "$assignment" 2>"$logs/submit.log") ||
    fail 'The take could not be handed in.' "$logs/submit.log"
  phase 'take handed in and confirmed by the server'
}

review() {
  heading 'On the server'
  local patience=$((seconds * patience_per_second))
  [ "$patience" -ge "$patience_at_least" ] || patience=$patience_at_least
  COLLECTOR_TOKEN=$admin_token /usr/bin/python3 demo/road.py wait "$server_url" "$submission" "$patience" ||
    fail 'The pipeline did not bring the take to its review.' "$logs/pipeline.log"
  COLLECTOR_TOKEN=$admin_token /usr/bin/python3 demo/road.py fetch "$server_url" "$submission" "$result" || exit 1
  phase 'inspected and analysed'
  COLLECTOR_TOKEN=$admin_token /usr/bin/python3 demo/road.py accept "$server_url" "$submission" 4 || exit 1
  "$target/pipeline" export --server "$server_url" --token "$pipeline_token" --campaign "$campaign" --out "$dataset" ||
    fail 'The dataset could not be written.'
  phase 'accepted and exported'
}

measure() {
  /usr/bin/python3 demo/truth.py --shift "$state/truth.raw.json" --recording "$take/recording.json" --out "$state" || exit 1
  "$target/pipeline" score --predicted "$result/steps.jsonl" --truth "$state/truth.steps.jsonl" \
    --transcript "$result/transcript.json" --truth-transcript "$state/truth.narration.json" >"$state/score.json" ||
    fail 'The score could not be worked out.'
  heading 'Against what was really done and said'
  /usr/bin/python3 demo/verdict.py "$state/score.json" "$result/quality.json" "$dataset"
}

trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
prepare
open_campaign
join
record
submit
review
measure
passed=$?
phase 'compared with the truth'

heading 'The first examples'
head -n 3 "$dataset"/data/*.jsonl | /usr/bin/python3 demo/verdict.py --examples

heading 'Where things are'
cat <<TEXT
  $dataset/         the dataset: data/*.jsonl, frames/, dataset.json
  $take/            the recording: video.mp4, events.jsonl, recording.json
  $result/          what the pipeline made of it
  $state/score.json, truth.steps.jsonl, truth.narration.json   the measure and the truth
  $logs/            what the programs said
TEXT
heading 'Times'
printf '  %s\n' "${phases[@]}"

heading 'The review page'
if $keep; then
  echo "  $server_url/admin/submissions/$submission"
  echo "  log in as $server_email with $server_password"
  echo "  the server runs until you end it: kill $server_pid"
else
  echo "  ./dev demo --keep leaves the server running; of this run, open it again with"
  echo "  COLLECTOR_DATA_DIR=$state/server/data $target/ingest-server serve"
  echo "  and log in at http://127.0.0.1:8750/admin as $server_email with $server_password"
fi
exit "$passed"
