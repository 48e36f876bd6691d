#!/usr/bin/env bash
# One take from recorder to review while everything is killed with SIGKILL: the server twice during the upload over a
# slow line, the recorder once, the pipeline in its first job and at the end of each pass of its second, when the work
# of the pass is done and nothing of it is kept. The server must hold the very bytes of the take, and one submission with
# one result.
#
#   tests/road.sh [--all]      --all kills in every pass; on the way the job dies of its attempts and is queued again
#
# Needs what `./dev setup` installs and a build.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
. demo/desktop.sh
. demo/server.sh

readonly target=${CARGO_TARGET_DIR:-target}/debug
readonly take_secs=12
# Slow enough that the upload lasts while servers come and go.
readonly line_secs=12
passes=(read transcribe steps judge)
case ${1:-} in
  '') ;;
  --all) passes=(inspect read transcribe redact steps judge playback) ;;
  *) echo 'Say tests/road.sh or tests/road.sh --all.' >&2 && exit 2 ;;
esac
state=$(mktemp -d "${TMPDIR:-/tmp}/road.XXXXXX")
pipeline_pid='' proxy_pid='' submit_pid='' good=false

clean_up() {
  local pid
  for pid in "$pipeline_pid" "$proxy_pid" "$submit_pid"; do
    [ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null
  done
  server_down
  desktop_down
  if $good; then rm -rf "$state"; else echo "What was made is kept in $state."; fi
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail() {
  echo "$1" >&2
  [ -z "${2:-}" ] || tail -n 12 "$2" | sed 's/^/  /' >&2
  exit 1
}

admin() { COLLECTOR_TOKEN=$admin_token /usr/bin/python3 demo/road.py "$@"; }

# received_is_over BYTES: so much of an upload has reached the server's disk.
received_is_over() { [ "$(find "$state/server/data/uploads" -type f -size +"$1"c 2>/dev/null | wc -l)" -gt 0 ]; }

export COLLECTOR_DATA_DIR=$state/worker
# A machine that died is soon known to have.
export COLLECTOR_LEASE_SECS=6 COLLECTOR_BACKOFF_SECS=1
server_up "$state/server" || exit 1
server_people || fail 'The server took no admin.'
server_campaign tests/road.toml || fail 'The server took no campaign.'
invite=$(server_do invite create --campaign "$campaign" --tier Basic) || exit 1
"$target/recorder" join "collector://invite/$invite?server=$server_url" --name Test --fiverr-user tester --accept-consent \
  >"$state/join.log" 2>&1 || fail 'The recorder could not join.' "$state/join.log"
assignment=$("$target/recorder" goals | grep -Eo '"id": *"[0-9a-f-]{36}"' | head -n 1 | grep -Eo '[0-9a-f-]{36}')
"$target/recorder" claim "$assignment" >"$state/claim.log" 2>&1 || fail 'The goal could not be claimed.' "$state/claim.log"

desktop_up "$state/desktop" || exit 1
/usr/bin/python3 tests/stage.py --truth "$state/truth.jsonl" --act >"$state/stage.log" 2>&1 &
desktop_pids+=($!)
"$target/recorder" record --out "$state/take" --seconds $take_secs --assignment "$assignment" >"$state/record.log" 2>&1 ||
  fail 'The take could not be recorded.' "$state/record.log"
desktop_down
bytes=$(stat -c %s "$state/take/video.mp4")
echo "A take of $bytes bytes"

/usr/bin/python3 tests/slow_proxy.py "$state/port" "$server_port" $((bytes / line_secs)) &
proxy_pid=$!
desktop_wait 10 test -s "$state/port" || fail 'The slow line did not open.'
token=$(grep -Eo 'csw_[0-9a-f]+' "$state"/worker/*.json "$state"/worker/*.toml 2>/dev/null | head -n 1 | grep -Eo 'csw_[0-9a-f]+')
hand_in=("$target/recorder" submit "$state/take" --server "http://127.0.0.1:$(cat "$state/port")" --token "$token"
  --assignment "$assignment")
submit() {
  "${hand_in[@]}" >"$state/submission" 2>>"$state/submit.log" &
  submit_pid=$!
}
submit
for share in 5 2; do
  desktop_wait 60 received_is_over $((bytes / share)) || fail 'The upload stands still.' "$state/submit.log"
  server_kill
  server_up "$state/server" || exit 1
  echo "Server killed when over 1/$share of the video had arrived, and started again"
done
kill -KILL "$submit_pid"
wait "$submit_pid" 2>/dev/null
submit
wait "$submit_pid" || fail 'The take could not be handed in.' "$state/submit.log"
submit_pid=''
submission=$(cat "$state/submission")
sum=$(sha256sum "$state/take/video.mp4" | cut -d ' ' -f 1)
grep -q "^$sum" <(find "$state/server/data/objects" -type f -exec sha256sum {} +) || fail 'The server does not hold the bytes of the take.'
echo 'Recorder killed and started again; the server holds the very bytes of the take'

# Finished passes wait beside the models: here, and in nobody else's way.
ln -s "${COLLECTOR_MODELS_DIR:-$HOME/.cache/codesight-collector/models}" "$state/models"
export COLLECTOR_MODELS_DIR=$state/models

# work [PASS]: a pipeline that dies at the end of the pass.
work() {
  COLLECTOR_CRASH_AT=${1:-} COLLECTOR_TOKEN=$pipeline_token "$target/pipeline" work --server "$server_url" \
    >>"$state/pipeline.log" 2>&1 &
  pipeline_pid=$!
}
begun() { [ "$(grep -c "^$1 .*attempt" "$state/pipeline.log")" -ge "$2" ]; }
ended() { ! kill -0 "$pipeline_pid" 2>/dev/null; }
work
desktop_wait 60 begun inspect 1 || fail 'The job inspect was not leased.' "$state/pipeline.log"
kill -KILL "$pipeline_pid"
wait "$pipeline_pid" 2>/dev/null
echo 'Pipeline killed in the job inspect'
begins=0
for pass in "${passes[@]}"; do
  # Reading and listening end in either order: the one that is to die may have been kept when the other did.
  rm -rf "$state"/passes/*/"$pass"-*
  work "$pass"
  if [ "$begins" -eq 5 ]; then
    # A machine that asks for work finds out that the last one died.
    desktop_wait 60 admin retry "$server_url" || fail 'The dead job could not be queued again.' "$state/pipeline.log"
    echo 'The job died of its attempts and was queued again'
  fi
  # Bash tells of the kill on stderr.
  desktop_wait 200 ended 2>/dev/null || fail "The pipeline did not come to the pass $pass." "$state/pipeline.log"
  wait "$pipeline_pid" 2>/dev/null
  begins=$((begins + 1))
  begun analyse "$begins" || fail "The pipeline ended before the pass $pass." "$state/pipeline.log"
  echo "Pipeline killed at the end of the pass $pass"
done
work
admin wait "$server_url" "$submission" 400 || fail 'The take did not come to its review.' "$state/pipeline.log"
again=$("${hand_in[@]}" 2>>"$state/submit.log") || fail 'The take could not be handed in again.' "$state/submit.log"
[ "$again" = "$submission" ] || fail "Handed in again it became another submission: $again"
admin show "$server_url" '/api/v1/admin/submissions' >"$state/submissions.json"
admin show "$server_url" '/api/v1/admin/jobs' >"$state/jobs.json"
admin accept "$server_url" "$submission" 4 || exit 1
admin show "$server_url" '/api/v1/admin/payouts' >"$state/payouts.json"
/usr/bin/python3 - "$state" <<'PY' || fail 'There is more than one result.'
import json, sys
read = lambda name: json.load(open(f"{sys.argv[1]}/{name}.json"))["items"]
jobs = sorted((job["kind"], job["stage"]) for job in read("jobs"))
assert jobs == [("analyse", "done"), ("inspect", "done")], jobs
assert len(read("submissions")) == 1 and len(read("payouts")) == 1
PY
echo 'One submission, one result of each job, one payout'
good=true
