#!/usr/bin/env bash
# The server without its feature `s3`: for a machine that keeps recordings in a folder. It compiles without warnings, serves, and
# says what to do where a bucket is set all the same.
#
#   tests/without_s3.sh [--all]      --all changes nothing
#
# Only with --all: it compiles the server's dependencies a second time, in target/without-s3.
# inputs: ingest-server/src ingest-server/Cargo.toml Cargo.lock
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
. demo/desktop.sh

folder=${CARGO_TARGET_DIR:-target}/without-s3
RUSTFLAGS="${RUSTFLAGS:-} -D warnings" cargo build --locked -p ingest-server --no-default-features --bin ingest-server --target-dir "$folder" || exit 1
. demo/server.sh
state=$(mktemp -d "${TMPDIR:-/tmp}/without-s3.XXXXXX")
clean_up() {
  server_down
  rm -rf "$state"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

program=$folder/debug/ingest-server
if refused=$(COLLECTOR_DATA_DIR=$state/bucket S3_BUCKET=recordings AWS_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=b "$program" serve 2>&1); then
  echo 'A bucket was taken by a server that has none.' >&2 && exit 1
fi
[[ $refused == *S3_BUCKET* ]] || { echo "The refusal does not name the setting: $refused" >&2 && exit 1; }
server_up "$state/server" "$program" || exit 1
[ "$(curl -s -o /dev/null -w '%{http_code}' "$server_url/readyz")" = 200 ] || { echo 'It is not ready.' >&2 && exit 1; }
echo 'The server without s3 compiles without warnings and serves from a folder'
