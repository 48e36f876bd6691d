#!/usr/bin/env bash
# A worker at the recorder's real window, against a real server, on a virtual desktop with sound.
#
#   tests/window.sh [--shots DIR] [--secs N]
#
# The window is opened by an invite link; consent, goals, the check before a take, a take of N seconds (8) with a pause,
# its check, a cut, sending it in, and the list of what was sent in are gone through by WebDriver (tests/window.py), with
# a picture of each. What the server took must be the take on the disk, by its SHA-256. Needs what `./dev setup` installs
# and a build; what failed is kept.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
. demo/desktop.sh
. demo/server.sh

secs=8 shots='' good=false
while [ $# -gt 0 ]; do
  case $1 in
    --shots) shots=${2:?Give a folder after --shots.} && shift 2 ;;
    --secs) secs=${2:?Give a number after --secs.} && shift 2 ;;
    *) echo 'Say tests/window.sh [--shots DIR] [--secs N].' >&2 && exit 2 ;;
  esac
done
program=$(realpath "${CARGO_TARGET_DIR:-target}")/debug/recorder-app
[ -x "$program" ] || { echo "$program does not exist yet. Build it with cargo build --workspace --all-targets." >&2 && exit 1; }
driver=$(command -v WebKitWebDriver) || { echo 'No WebKitWebDriver was found. Install the package webkit2gtk-driver.' >&2 && exit 1; }
state=$(mktemp -d "${TMPDIR:-/tmp}/window.XXXXXX")
shots=${shots:-$state/shots}

clean_up() {
  desktop_down
  server_down
  if $good; then rm -rf "$state"; else echo "What was made is kept in $state."; fi
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail() { echo "$1" >&2 && exit 1; }

server_up "$state/server" || exit 1
server_campaign tests/road.toml || fail 'The server took no campaign.'
invite=$(server_do invite create --campaign "$campaign" --tier Basic) || fail 'No invite could be made.'

desktop_up "$state/desktop" || exit 1
/usr/bin/python3 tests/stage.py --truth "$state/truth.jsonl" --sound-only >"$state/stage.log" 2>&1 &
desktop_pids+=($!)
driver_port=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkdir -p "$state/home"
# The driver's environment is the window's; without the last two the window does not let itself be driven.
COLLECTOR_DATA_DIR=$state/recorder HOME=$state/home XDG_RUNTIME_DIR=$desktop_run TAURI_AUTOMATION=true TAURI_WEBVIEW_AUTOMATION=true \
  "$driver" --host=127.0.0.1 --port="$driver_port" >"$state/driver.log" 2>&1 &
desktop_pids+=($!)

stage=$(/usr/bin/python3 tests/window.py --driver "http://127.0.0.1:$driver_port" --app "$program" \
  --invite "collector://invite/$invite?server=$server_url" --secs "$secs" --shots "$shots") || fail 'The worker did not get to the end.'

take=$(find "$state/recorder/takes" -mindepth 1 -maxdepth 1 -type d)
/usr/bin/python3 - "$take" <<'PY' || fail "The take on the disk is not the one that was sent."
import hashlib, json, pathlib, sys
take = pathlib.Path(sys.argv[1])
manifest, upload = (json.loads((take / name).read_text()) for name in ("recording.json", "upload.json"))
digest = hashlib.sha256((take / "video.mp4").read_bytes()).hexdigest()
assert manifest["files"]["video.mp4"]["sha256"] == upload["uploads"]["video"]["sha256"] == digest
assert len(manifest["pauses"]) == 1 and len(manifest["cuts"]) == 1
assert upload["stage"] == "confirmed" and manifest["consent"] and manifest["assignment_id"] == upload["assignment"]
PY
echo "A take of $secs s was recorded and sent in; the list shows it as $stage."
good=true
