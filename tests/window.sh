#!/usr/bin/env bash
# A worker at the recorder's real window, against a real server, on a virtual desktop with sound.
#
#   tests/window.sh [--shots DIR] [--secs N]
#
# The window is opened by an invite link; consent, goals, the choices and the check before a take, a take of N seconds (8)
# of the whole screen without one program, sent meanwhile, with a pause, its check, a cut, a second take of a single window,
# both waiting while the server does not answer, another order, sending them in, the list of what was sent in, a text of consent
# that was renewed twice, a copy of all that is kept, the withdrawal and the erasure are gone through by WebDriver
# (tests/window.py), with a picture of each. What the server took must be the takes that were on the disk, by their SHA-256;
# of the person nothing may be left there. Needs what `./dev setup` installs and a build; what failed is kept.
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
server_campaign tests/window.toml || fail 'The server took no campaign.'
invite=$(server_do invite create --campaign "$campaign" --tier Basic) || fail 'No invite could be made.'

desktop_up "$state/desktop" || exit 1
/usr/bin/python3 tests/stage.py --truth "$state/truth.jsonl" --sound-only >"$state/stage.log" 2>&1 &
desktop_pids+=($!)
xmessage -title Xmessage -geometry 640x480 'Something private.' >"$state/notes.log" 2>&1 &
desktop_pids+=($!)
driver_port=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkdir -p "$state/home"
# The driver's environment is the window's; without the last two the window does not let itself be driven.
COLLECTOR_DATA_DIR=$state/recorder HOME=$state/home XDG_RUNTIME_DIR=$desktop_run TAURI_AUTOMATION=true TAURI_WEBVIEW_AUTOMATION=true \
  "$driver" --host=127.0.0.1 --port="$driver_port" >"$state/driver.log" 2>&1 &
desktop_pids+=($!)

stage=$(/usr/bin/python3 tests/window.py --driver "http://127.0.0.1:$driver_port" --app "$program" \
  --invite "collector://invite/$invite?server=$server_url" --secs "$secs" --shots "$shots" \
  --server-pid "$server_pid" --database "$state/server/data/collector.db" --program Xmessage \
  --data "$state/recorder" --keep "$state/kept") || fail 'The worker did not get to the end.'

/usr/bin/python3 - "$state/kept" <<'PY' || fail "The takes on the disk are not those that were sent."
import hashlib, json, pathlib, sys
data = pathlib.Path(sys.argv[1])
takes = sorted(take for take in (data / "takes").iterdir() if take.is_dir())
assert len(takes) == 2
kinds = []
for take in takes:
    manifest, upload = (json.loads((take / name).read_text()) for name in ("recording.json", "upload.json"))
    digest = hashlib.sha256((take / "video.mp4").read_bytes()).hexdigest()
    assert manifest["files"]["video.mp4"]["sha256"] == upload["uploads"]["video"]["sha256"] == digest
    assert upload["stage"] == "confirmed" and manifest["consent"] and manifest["assignment_id"] == upload["assignment"]
    kinds.append((len(manifest["pauses"]), len(manifest["cuts"]), manifest["screen"]["id"].startswith("window:")))
assert kinds == [(1, 1, False), (0, 0, True)], kinds
settings = json.loads((data / "settings.json").read_text())
assert settings == {"sends_early": False, "upload_bytes_per_sec": 1000000, "is_sending_paused": False, "hidden_programs": [],
                    "microphone": {"kind": "system"}}, settings
assert json.loads((data / "queue.json").read_text())["takes"] == []
PY
left=$(find "$state/recorder/takes" -mindepth 1; find "$state/recorder" -name enrolment.json; find "$state/server/data/objects" -type f)
[ -z "$left" ] || fail "Of the person there is still: $left"
echo "Two takes of $secs s were recorded, waited in their order and were sent in; the list shows them as $stage."
good=true
