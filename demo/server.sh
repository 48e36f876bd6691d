#!/usr/bin/env bash
# The real server with a folder of its own, for the demo and the long tests. Source it after desktop.sh.
#
#   server_up DIR [PROGRAM]  starts ingest-server on a free port of this machine and waits until it answers; sets
#                        server_url and server_pid
#   server_people        an admin with a login, tokens for the pipeline and for calls; sets pipeline_token, admin_token
#   server_campaign FILE imports a campaign; sets campaign
#   server_workers N     so many workers of the starter campaign; sets worker_tokens
#   server_kill          ends it at once, as a power cut would; server_up DIR goes on where it was
#   server_down          asks it to end

readonly server_program=${CARGO_TARGET_DIR:-target}/debug/ingest-server
# An address to log in with, for a server that only this machine reaches.
readonly server_email=demo@example.com
server_pid='' server_dir='' server_port=0

server_up() {
  server_dir=$1
  mkdir -p "$server_dir/data"
  : >"$server_dir/server.log.now"
  COLLECTOR_DATA_DIR=$server_dir/data COLLECTOR_LISTEN=127.0.0.1:$server_port RUST_LOG=${RUST_LOG:-info} NO_COLOR=1 \
    "${2:-$server_program}" serve >>"$server_dir/server.log.now" 2>&1 &
  server_pid=$!
  desktop_wait 30 grep -q 'listening on http://' "$server_dir/server.log.now" || {
    echo 'The server did not start. Its last lines:' >&2
    tail -n 8 "$server_dir/server.log.now" | sed 's/^/  /' >&2
    return 1
  }
  server_url=$(grep -o 'http://127[0-9.:]*' "$server_dir/server.log.now" | head -n 1)
  # Started again it keeps its address, as a server does.
  server_port=${server_url##*:}
  cat "$server_dir/server.log.now" >>"$server_dir/server.log"
}

server_do() { COLLECTOR_DATA_DIR=$server_dir/data COLLECTOR_LISTEN=127.0.0.1:$server_port "$server_program" "$@"; }

# shellcheck disable=SC2034 # the scripts that source this read the tokens
server_people() {
  server_password=$(head -c 12 /dev/urandom | od -An -tx1 | tr -d ' \n')
  printf '%s\n' "$server_password" | server_do admin create --email "$server_email" --role admin --password-stdin >/dev/null || return 1
  pipeline_token=$(server_do token create --role pipeline --name demo) && admin_token=$(server_do token create --role admin --name demo)
}

server_campaign() { campaign=$(server_do campaign import "$1" | grep -Eo '[0-9a-f-]{36}' | head -n 1) && [ -n "$campaign" ]; }

# shellcheck disable=SC2034
server_workers() {
  local starter
  starter=$(server_do campaign list | head -n 1 | cut -f 1)
  worker_tokens=$(server_do invite create --campaign "$starter" --tier Basic --count "$1" | /usr/bin/python3 tests/join.py "$server_url") &&
    [ -n "$worker_tokens" ]
}

server_kill() {
  [ -n "$server_pid" ] && kill -KILL "$server_pid" 2>/dev/null
  wait "$server_pid" 2>/dev/null
  cat "$server_dir/server.log.now" >>"$server_dir/server.log"
  server_pid=''
}

server_down() {
  [ -n "$server_pid" ] || return 0
  kill -TERM "$server_pid" 2>/dev/null
  desktop_wait 20 desktop_gone "$server_pid" || kill -KILL "$server_pid" 2>/dev/null
  wait "$server_pid" 2>/dev/null
  server_pid=''
}
