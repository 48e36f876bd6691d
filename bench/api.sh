#!/usr/bin/env bash
# How fast the lists are with 100,000 submissions, on SQLite and on PostgreSQL: a debug or release server over a filled
# database, asked 50 times a second for each page that reviewers, admins and workers see.
#
#   bench/api.sh [SECONDS] [SUBMISSIONS]      20 and 100000 unless said otherwise
#
# Prints per page the median, the 99th percentile and the CPU time of one answer. Bar: p99 of all together at most
# 50 ms; ends with 1 above it. On a busy machine read the CPU time: 20 ms an answer is a whole core at that pace.
# Needs what `./dev setup` installs and a build; a release build is taken where there is one.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
. demo/desktop.sh
. demo/stores.sh
[ "${1:-}" != --corpus ] || shift 2
secs=${1:-20} submissions=${2:-100000}
if ! [[ $secs =~ ^[0-9]{1,4}$ && $submissions =~ ^[0-9]{3,7}$ ]]; then echo "Give whole numbers of seconds and of submissions, at least 100." >&2 && exit 2; fi
server=${CARGO_TARGET_DIR:-target}/release/ingest-server
[ -x "$server" ] || server=${CARGO_TARGET_DIR:-target}/debug/ingest-server
[ -x "$server" ] || { echo "$server does not exist yet. Build it with cargo build --release -p ingest-server." >&2 && exit 1; }
state=$(mktemp -d "${TMPDIR:-/tmp}/api.XXXXXX")
chmod 755 "$state"
server_pid=''
clean_up() {
  [ -z "$server_pid" ] || kill "$server_pid" 2>/dev/null
  stores_down
  rm -rf "$state"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

export NO_COLOR=1
status=0
one() {
  local engine=$1 url=$2
  COLLECTOR_LISTEN=127.0.0.1:$(free_port)
  export DATABASE_URL=$url COLLECTOR_DATA_DIR=$state/$engine COLLECTOR_LISTEN
  "$server" migrate 2>>"$state/$engine.log" || { cat "$state/$engine.log" >&2 && return 1; }
  COLLECTOR_ADMIN=$("$server" token create --role admin --name bench 2>/dev/null) || return 1
  COLLECTOR_TOKEN=$("$server" token create --role pipeline --name bench 2>/dev/null) || return 1
  export COLLECTOR_ADMIN COLLECTOR_TOKEN
  /usr/bin/python3 bench/api.py fill "$submissions" >"$state/fill.sql" || return 1
  if [ "$engine" = sqlite ]; then
    /usr/bin/python3 bench/api.py sqlite "$state/sqlite/collector.db" "$state/fill.sql" || return 1
  else
    # What is filled in agrees with itself; looking at each reference would take most of the time. Then it rests as it would overnight.
    PGOPTIONS='-c session_replication_role=replica' "$postgres_bin/psql" -q -v ON_ERROR_STOP=1 -d "$url" -f "$state/fill.sql" >/dev/null && postgres_do bench "vacuum analyze" && postgres_do bench checkpoint || return 1
  fi
  RUST_LOG=error "$server" serve 2>>"$state/$engine.log" &
  server_pid=$!
  desktop_wait 30 "$server" healthcheck || { tail -n 5 "$state/$engine.log" >&2 && return 1; }
  local pids=("$server_pid")
  [ "$engine" = sqlite ] || pids+=("$(head -n 1 "$postgres_dir/data/postmaster.pid")")
  echo "$engine, $submissions submissions, $secs s:"
  /usr/bin/python3 bench/api.py ask "http://$COLLECTOR_LISTEN" "$secs" "$submissions" "${pids[@]}"
  local held=$?
  kill "$server_pid"
  wait "$server_pid" 2>/dev/null
  server_pid=''
  return "$held"
}

mkdir -p "$state/sqlite"
one sqlite "sqlite://$state/sqlite/collector.db" || status=1
postgres_up "$state/postgres" && postgres_database bench && one postgres "$postgres_url/bench" || status=1
exit "$status"
