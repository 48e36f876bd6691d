#!/usr/bin/env bash
# Upload clients that others wrote against the real server: tus-js-client, tuspy, and Uppy in Chromium. Lines that are
# cut and that stall, uploads that are aborted and resumed, two writers at once, names beyond ASCII and none at all.
#
#   tests/clients.sh [--all]      --all cuts and races more often
#
# Needs what `./dev test` installs and a build.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
. demo/desktop.sh
. demo/server.sh

case ${1:-} in
  '' | --all) ;;
  *) echo 'Say tests/clients.sh or tests/clients.sh --all.' >&2 && exit 2 ;;
esac
[ -d tests/clients/node_modules ] && [ -d .collector/tuspy ] || { echo 'The clients are not installed: run ./dev test once, which does that.' >&2 && exit 1; }
state=$(mktemp -d "${TMPDIR:-/tmp}/clients.XXXXXX")
good=false
clean_up() {
  server_down
  if $good; then rm -rf "$state"; else echo "What was made is kept in $state."; fi
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

PAGE_PORT=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export PAGE_PORT COLLECTOR_CORS_ORIGINS=http://127.0.0.1:$PAGE_PORT COLLECTOR_WORKER_UPLOADS=64 COLLECTOR_WORKER_UPLOADS_PER_MINUTE=1000
server_up "$state/server" || exit 1
server_workers 2 || { echo 'The server took no workers.' >&2 && exit 1; }
export SERVER_URL=$server_url WORKER_TOKENS=$worker_tokens
status=0
node tests/clients/tus.mjs "$@" || status=1
PYTHONPATH=.collector/tuspy python3 tests/clients/tuspy.py "$@" || status=1
node tests/clients/uppy.mjs "$@" || status=1
[ "$status" -eq 0 ] && good=true
exit "$status"
