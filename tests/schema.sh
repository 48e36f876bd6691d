#!/usr/bin/env bash
# The server against its own OpenAPI document, by schemathesis: what the document allows and what it does not is sent to every
# route, as each of those who may call it. No answer may be a failure of the server's own, and each has the form that is written down.
#
#   tests/schema.sh [--all]      --all sends more to each route
#
# Needs what `./dev test` installs and a build.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
. demo/desktop.sh
. demo/server.sh

phases=fuzzing examples=12
case ${1:-} in
  '') ;;
  --all) phases=examples,coverage,fuzzing examples=100 ;;
  *) echo 'Say tests/schema.sh or tests/schema.sh --all.' >&2 && exit 2 ;;
esac
readonly tool=$PWD/.collector/schemathesis hooks=$PWD/tests/schema
[ -x "$tool/bin/schemathesis" ] || { echo 'schemathesis is not installed: run ./dev test once, which does that.' >&2 && exit 1; }
state=$(mktemp -d "${TMPDIR:-/tmp}/schema.XXXXXX")
good=false
clean_up() {
  server_down
  if $good; then rm -rf "$state"; else echo "What was made is kept in $state."; fi
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Whoever tries everything is over every limit soon.
export COLLECTOR_ADDRESS_REQUESTS_PER_MINUTE=0 COLLECTOR_WORKER_UPLOADS_PER_MINUTE=0 COLLECTOR_IDLE_SECS=2
server_up "$state/server" && server_people || exit 1
server_workers 1 || { echo 'The server took no worker.' >&2 && exit 1; }

# The cookie of a login; a person's own pages send it with every request.
cookie_of() {
  local role=$1 password
  password=$(head -c 12 /dev/urandom | od -An -tx1 | tr -d ' \n')
  printf '%s\n' "$password" | server_do admin create --email "$role@example.com" --role "$role" --password-stdin >/dev/null || return 1
  curl -sS -o "$state/login" -D - -H 'Content-Type: application/json' -H 'Sec-Fetch-Site: same-origin' \
    --data "{\"email\":\"$role@example.com\",\"password\":\"$password\",\"totp\":null}" "$server_url/api/v1/admin/session" |
    sed -n 's/^set-cookie: \(__Host-[^;]*\);.*/\1/Ip' | head -n 1 | tr -d '\r'
}

# Each role sends what its routes take: `as WHO HEADER`. Waiting for jobs is another test's.
as() {
  local who=$1 header=$2
  shift 2
  (cd "$state" && PYTHONPATH=$tool:$hooks SCHEMATHESIS_HOOKS=hooks PYTHONDONTWRITEBYTECODE=1 "$tool/bin/schemathesis" run "$server_url/openapi.json" \
    --include-by "/x-who == $who" --header "$header" \
    --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
    --phases "$phases" --max-examples "$examples" --request-timeout 30 --generation-deterministic \
    --suppress-health-check all --warnings off --no-color "$@" >"$state/$who.log" 2>&1) || {
    echo "As $who:"
    sed -n '/FAILURES\|ERRORS/,$p' "$state/$who.log" | head -n 80
    return 1
  }
  echo "as $who: $(grep -E 'generated|passed' "$state/$who.log" | tail -n 1 | sed 's/^ *//')"
}

status=0
bearer() { printf 'Authorization: Bearer %s' "$1"; }
as anyone "$(bearer '')" || status=1
as invite "$(bearer '')" || status=1
as worker "$(bearer "${worker_tokens%% *}")" || status=1
as pipeline "$(bearer "$pipeline_token")" --exclude-path /api/v1/jobs/claim || status=1
as reviewer "$(bearer "$admin_token")" || status=1
as admin "$(bearer "$admin_token")" || status=1
as operator "$(bearer "$admin_token")" || status=1
as signed "$(bearer '')" || status=1
# A person who looks at takes, and one who administers; what ends the login itself is left out.
for role in reviewer admin; do
  cookie=$(cookie_of "$role") && [ -n "$cookie" ] || { echo "No login as $role." >&2 && exit 1; }
  as "$role" "Cookie: $cookie" --header 'Sec-Fetch-Site: same-origin' \
    --exclude-path-regex '^/api/v1/admin/session(/logins/.*|/totp.*)?$' | sed 's/^as /logged in as /' || status=1
  curl -sS -o "$state/session" -H "Cookie: $cookie" "$server_url/api/v1/admin/session"
  grep -q "$role@example.com" "$state/session" || { echo "The login as $role did not last to the end." >&2 && status=1; }
done
if grep -E ' ERROR .*a request failed' "$state/server/server.log.now"; then
  echo 'The server failed by itself; its lines are above.' >&2
  status=1
fi
[ "$status" -eq 0 ] && good=true
exit "$status"
