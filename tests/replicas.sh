#!/usr/bin/env bash
# Three servers over one PostgreSQL and one bucket, behind one address. They are killed and started again while slow
# uploaders, whose connections break at random, and machines that lease jobs go on.
#
#   tests/replicas.sh [--all]     24 uploaders and 40 jobs; with --all 200 uploaders and 300 jobs
#
# Every upload must arrive whole and once, one of each worker's is handed in, and that once; no job may be lost or done twice. Prints what happened; ends with 1 if
# something did not hold. REPLICAS_SEED repeats a run's cuts. Needs what `./dev setup` installs and a build.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
. demo/desktop.sh
. demo/stores.sh

server=$(realpath -m "${CARGO_TARGET_DIR:-target}")/debug/ingest-server
uploaders=24 jobs=40
case ${1:-} in
  '') ;;
  --all) uploaders=200 jobs=300 ;;
  *) echo "Say tests/replicas.sh or tests/replicas.sh --all." >&2 && exit 2 ;;
esac
workers=$(((uploaders + 3) / 4))
[ -x "$server" ] || { echo "$server does not exist yet. Build it with cargo build --workspace --all-targets." >&2 && exit 1; }
state=$(mktemp -d "${TMPDIR:-/tmp}/replicas.XXXXXX")
chmod 755 "$state"
clean_up() {
  stores_down
  if [ "${status:-1}" -eq 0 ]; then rm -rf "$state"; else echo "Logs are kept in $state." >&2; fi
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

postgres_up "$state/postgres" && moto_up "$state/moto" && postgres_database replicas || exit 1
/usr/bin/python3 -c 'import sys, urllib.request as r; r.urlopen(r.Request(sys.argv[1], method="PUT"))' "$moto_url/recordings" || exit 1

export DATABASE_URL=$postgres_url/replicas S3_BUCKET=recordings AWS_ENDPOINT_URL_S3=$moto_url
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test NO_COLOR=1
# A job whose answer got lost comes back soon.
export COLLECTOR_LEASE_SECS=5 COLLECTOR_BACKOFF_SECS=0
export COLLECTOR_DATA_DIR=$state/first
"$server" migrate 2>"$state/migrate.log" || { cat "$state/migrate.log" >&2 && exit 1; }
campaign=$("$server" campaign list 2>/dev/null | cut -f 1 | head -n 1)
# A worker may have 8 uploads open, and a lost answer leaves an empty one behind.
"$server" invite create --campaign "$campaign" --tier Basic --count "$workers" >"$state/invites" 2>/dev/null || exit 1
token=$("$server" token create --role pipeline --name test 2>/dev/null) || exit 1
for ((number = 1; number <= jobs; number++)); do
  echo "insert into job (id, kind, submission_id, campaign_id, input_digest, stage, run_at, attempt, max_attempts, created_at, updated_at)
    values (gen_random_uuid()::text, 'export', null, '$campaign', '$number', 'queued', 0, 0, 50, 0, 0);"
done >"$state/jobs.sql"
postgres_do replicas "$(cat "$state/jobs.sql")" || exit 1

COLLECTOR_TOKEN=$token /usr/bin/python3 tests/replicas.py "$server" "$state" "$uploaders" "$jobs"
status=$?
[ "$status" -eq 0 ] || exit 1

check() { [ "$2" = "$3" ] || { echo "$1: $2 instead of $3" >&2 && status=1; }; }
check 'uploads that are ready' "$(postgres_do replicas "select count(*) from upload where stage = 'ready'")" "$uploaders"
check 'uploads that hold bytes and are not ready' "$(postgres_do replicas "select count(*) from upload where stage <> 'ready' and received_bytes > 0")" 0
check 'jobs that are done' "$(postgres_do replicas "select count(*) from job where stage = 'done'")" "$jobs"
check 'takes that were handed in' "$(postgres_do replicas 'select count(*) from submission')" "$workers"
check 'their files' "$(postgres_do replicas 'select count(*) from submission_file')" "$workers"
check 'jobs in all, with one to look at each take' "$(postgres_do replicas 'select count(*) from job')" $((jobs + workers))
check 'objects in the bucket' "$(/usr/bin/python3 tests/replicas.py --objects "$moto_url/recordings" uploads/)" "$uploaders"
echo "$(postgres_do replicas 'select sum(attempt) from job') attempts at $jobs jobs"
exit "$status"
