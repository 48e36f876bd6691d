#!/usr/bin/env bash
# A server, a pipeline worker and the recorder's window on this machine, for a person to try the whole road with.
# Called by `./dev run`; everything lies in .collector/run/ and ends when the window is closed.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
. demo/desktop.sh
. demo/server.sh

readonly state=.collector/run
readonly target=${CARGO_TARGET_DIR:-target}/debug
pipeline_pid=''

clean_up() {
  trap '' INT TERM
  if [ -n "$pipeline_pid" ]; then
    kill -TERM "$pipeline_pid" 2>/dev/null
    desktop_wait 20 desktop_gone "$pipeline_pid" || kill -KILL "$pipeline_pid" 2>/dev/null
  fi
  server_down
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

rm -rf "$state" && mkdir -p "$state"
server_up "$state/server" && server_people || exit 1
# The first start of a server installs the starter campaign.
campaign=$(server_do campaign list | grep -Eo '[0-9a-f-]{36}' | head -n 1)
invite=$(server_do invite create --campaign "$campaign" --tier Basic) || exit 1
COLLECTOR_TOKEN=$pipeline_token "$target/pipeline" work --server "$server_url" >"$state/pipeline.log" 2>&1 &
pipeline_pid=$!
cat <<TEXT
The page for workers: $server_url
The review page:      $server_url/admin, log in as $server_email with $server_password
The recorder's window opens with an invite. Takes must last five minutes. Close the window to end everything.
TEXT
COLLECTOR_DATA_DIR=$PWD/$state/worker "$target/recorder-app" "collector://invite/$invite?server=$server_url"
