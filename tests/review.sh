#!/usr/bin/env bash
# Debian's Chromium shows markup that was planted in every text as text. A reviewer logs in with it, has a stretch of a take redacted, plays the take that came of it and accepts
# it with the keyboard; the payout is there, and the earlier recording is not. Then an admin erases the worker, and nothing is left.
#
#   tests/review.sh [--all]      --all changes nothing: there is one take
#
# Pictures of the pages are kept in .collector/review/. Needs what `./dev setup` installs and a build.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
. demo/desktop.sh
. demo/server.sh

readonly target=${CARGO_TARGET_DIR:-target}/debug pictures=$PWD/.collector/review
state=$(mktemp -d "${TMPDIR:-/tmp}/review.XXXXXX")

clean_up() {
  server_down
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

export COLLECTOR_DATA_DIR=$state/worker
server_up "$state/server" || exit 1
server_people || fail 'The server took no admin.'
server_campaign tests/road.toml || fail 'The server took no campaign.'
invite=$(server_do invite create --campaign "$campaign" --tier Basic) || exit 1
{
  "$target/recorder" join "collector://invite/$invite?server=$server_url" --name Test --fiverr-user tester --accept-consent &&
    assignment=$("$target/recorder" goals | grep -Eo '"id": *"[0-9a-f-]{36}"' | head -n 1 | grep -Eo '[0-9a-f-]{36}') &&
    "$target/recorder" record --out "$state/take" --seconds 8 --screen synthetic --mic none --no-input-events --assignment "$assignment" &&
    "$target/recorder" submit "$state/take" --assignment "$assignment" >"$state/submission"
} >"$state/worker.log" 2>&1 || fail 'The take did not reach the server.' "$state/worker.log"
COLLECTOR_TOKEN=$pipeline_token "$target/pipeline" work --server "$server_url" --once >"$state/pipeline.log" 2>&1 ||
  fail 'The pipeline could not work.' "$state/pipeline.log"
COLLECTOR_TOKEN=$admin_token /usr/bin/python3 demo/road.py wait "$server_url" "$(cat "$state/submission")" 5 ||
  fail 'The take did not come to its review.' "$state/pipeline.log"

mkdir -p "$pictures"
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
recorded=$(sha256sum <"$state/take/video.mp4" | cut -d ' ' -f 1)
stored() { find "$state/server" -type f -size +0 -exec sha256sum {} + | grep -c "^$recorded"; }
[ "$(stored)" -eq 1 ] || fail 'The recording is not on the server.'
(cd ui && CHROMIUM=$browser REVIEW_PASSWORD=$server_password node browser/markup.mjs "$server_url" "$server_email" "$pictures") >/dev/null ||
  fail 'Markup in a text can do something on a page.'
echo 'Markup in names, titles, words and sentences is shown as text on every page'
(cd ui && CHROMIUM=$browser REVIEW_PASSWORD=$server_password node browser/redact.mjs "$server_url" "$server_email" "$pictures") >/dev/null ||
  fail 'A stretch could not be redacted on the page.'
COLLECTOR_TOKEN=$pipeline_token "$target/pipeline" work --server "$server_url" --once >"$state/redact.log" 2>&1 ||
  fail 'The pipeline could not redact.' "$state/redact.log"
[ "$(stored)" -eq 0 ] || fail 'The recording from before the redaction is still on the server.' "$state/redact.log"
echo 'A stretch was redacted; the earlier recording is gone'
accepted=$(cd ui && CHROMIUM=$browser REVIEW_PASSWORD=$server_password node browser/accept.mjs "$server_url" "$server_email" "$pictures") ||
  fail 'The take could not be accepted on the page.'
[[ $accepted == *$(cat "$state/submission")* ]] || fail "Another take was accepted: $accepted"
COLLECTOR_TOKEN=$admin_token /usr/bin/python3 demo/road.py show "$server_url" /api/v1/admin/payouts | grep -q '"amount_cents": 400' ||
  fail 'There is no payout.'
echo 'Accepted on the page; the payout is accrued'
[ "$(find "$state/server/data/objects" -type f | wc -l)" -gt 0 ] || fail 'Nothing is left to erase.'
(cd ui && CHROMIUM=$browser REVIEW_PASSWORD=$server_password node browser/erase.mjs "$server_url" "$server_email" "$pictures") ||
  fail 'The worker could not be erased on the page.'
left=$(find "$state/server/data/objects" -type f)
[ -z "$left" ] || fail "The recording of an erased worker is still there: $left"
COLLECTOR_TOKEN=$admin_token /usr/bin/python3 demo/road.py show "$server_url" /api/v1/admin/workers | grep -q tester && fail 'The name is still there.'
echo 'The worker was erased on the page; neither recording nor name is left'
