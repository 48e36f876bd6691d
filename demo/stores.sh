#!/usr/bin/env bash
# A PostgreSQL and an S3 server of their own, for the long tests and the benchmarks. Source it after desktop.sh.
#
#   postgres_up DIR      starts PostgreSQL on a free port of this machine; sets postgres_url, without a database's name
#   postgres_database N  makes an empty database of that name
#   postgres_do DB SQL   runs statements and prints bare values
#   moto_up DIR          starts moto on a free port; sets moto_url
#   stores_down          ends both

postgres_url='' moto_url='' postgres_dir='' moto_pid=''
postgres_bin=$(find /usr/lib/postgresql -maxdepth 3 -name initdb 2>/dev/null | sort -V | tail -n 1)
postgres_bin=${postgres_bin%/initdb}
readonly moto_python=$HOME/.cache/codesight-collector/moto/bin/python3

free_port() { /usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# PostgreSQL refuses to run as root.
as_nobody() { if [ "$(id -u)" -eq 0 ]; then setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"; else "$@"; fi; }

postgres_up() {
  [ -n "$postgres_bin" ] || { echo 'PostgreSQL is not installed: run ./dev setup.' >&2 && return 1; }
  postgres_dir=$1
  local port
  port=$(free_port)
  mkdir -p "$postgres_dir"
  [ "$(id -u)" -ne 0 ] || chown nobody:nogroup "$postgres_dir"
  (cd "$postgres_dir" && as_nobody "$postgres_bin/initdb" -D "$postgres_dir/data" -U postgres -A trust --no-sync &&
    as_nobody "$postgres_bin/pg_ctl" -w -D "$postgres_dir/data" -l "$postgres_dir/log" \
      -o "-p $port -k $postgres_dir -h 127.0.0.1 -N 200" start) >"$postgres_dir.log" 2>&1 || {
    echo 'PostgreSQL did not start. Its last lines:' >&2
    tail -n 8 "$postgres_dir.log" | sed 's/^/  /' >&2
    return 1
  }
  postgres_url=postgres://postgres@127.0.0.1:$port
}

postgres_do() { "$postgres_bin/psql" -qAt -v ON_ERROR_STOP=1 "$postgres_url/$1" -c "$2"; }
postgres_database() { postgres_do postgres "create database $1"; }

moto_up() {
  [ -x "$moto_python" ] || { echo 'The S3 server of the tests is not installed: run ./dev setup.' >&2 && return 1; }
  local port
  port=$(free_port)
  mkdir -p "$1"
  "$moto_python" "$(dirname "${BASH_SOURCE[0]}")/s3_server.py" -H 127.0.0.1 -p "$port" >"$1/moto.log" 2>&1 &
  moto_pid=$!
  desktop_wait 60 grep -q 'Running on' "$1/moto.log" || { echo "The S3 server did not start; see $1/moto.log." >&2 && return 1; }
  # shellcheck disable=SC2034 # the scripts that source this read it
  moto_url=http://127.0.0.1:$port
}

stores_down() {
  if [ -n "$moto_pid" ]; then
    kill "$moto_pid" 2>/dev/null
    wait "$moto_pid" 2>/dev/null
  fi
  [ -z "$postgres_dir" ] || (cd / && as_nobody "$postgres_bin/pg_ctl" -D "$postgres_dir/data" -m immediate stop) >/dev/null 2>&1
  moto_pid='' postgres_dir=''
}
