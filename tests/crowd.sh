#!/usr/bin/env bash
# Slow uploaders with random cuts while the server is killed and started again: every recording arrives whole, once.
#
#   tests/crowd.sh [--all]      20 uploaders; with --all 200
#
# The server is ended in turn by SIGKILL and by SIGTERM every few seconds. Needs what `./dev setup` installs and a build.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
. demo/desktop.sh
. demo/server.sh

count=20 secs=10
case ${1:-} in
  '') ;;
  --all) count=200 secs=40 ;;
  *) echo 'Say tests/crowd.sh or tests/crowd.sh --all.' >&2 && exit 2 ;;
esac
readonly bytes=600000
state=$(mktemp -d "${TMPDIR:-/tmp}/crowd.XXXXXX")
crowd_pid='' good=false
clean_up() {
  [ -z "$crowd_pid" ] || kill -KILL "$crowd_pid" 2>/dev/null
  server_down
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

export RUST_LOG=warn,ingest_server::commands=info COLLECTOR_DRAIN_SECS=2
server_up "$state/server" || exit 1
server_workers "$count" || fail 'The server took no workers.'
echo "$worker_tokens" >"$state/tokens"
/usr/bin/python3 tests/crowd.py "$server_url" "$state/tokens" $bytes $secs "${SEED:-1}" >"$state/crowd.json" 2>"$state/crowd.log" &
crowd_pid=$!
restarts=0
while ! desktop_gone "$crowd_pid"; do
  # The crowd is gone, or it has had some seconds with this server.
  desktop_wait 3 desktop_gone "$crowd_pid" && break
  if [ $((restarts % 2)) -eq 0 ]; then server_kill; else server_down; fi
  server_up "$state/server" || fail 'The server did not come back.' "$state/server/server.log.now"
  restarts=$((restarts + 1))
done
wait "$crowd_pid" || fail 'Not every recording arrived.' "$state/crowd.log"
crowd_pid=''
[ "$restarts" -gt 0 ] || fail 'The uploads ended before the server was restarted once.'
cat "$state/crowd.json"

# What the database and the folders say of it.
/usr/bin/python3 - "$state/server/data" "$count" $bytes <<'PY' || exit 1
import pathlib, sqlite3, sys
data, count, size = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
database = sqlite3.connect(data / "collector.db")
wrong = []
for what in ("upload where stage = 'ready'", "submission", "submission_file", "job where kind = 'inspect'"):
    found = database.execute(f"select count(*) from {what}").fetchone()[0]
    if found != count:
        wrong.append(f"{what}: {found} in place of {count}")
objects = [file.stat().st_size for file in (data / "objects" / "uploads").iterdir()]
if sorted(objects) != [size] * count:
    wrong.append(f"{len(objects)} objects in place of {count}, or of another length")
left = list((data / "uploads").iterdir())
if left:
    wrong.append(f"{len(left)} files are left in uploads/")
print("\n".join(wrong))
sys.exit(1 if wrong else 0)
PY
echo "$count recordings arrived whole, once, while the server was restarted $restarts times"
good=true
