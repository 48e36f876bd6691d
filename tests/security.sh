#!/usr/bin/env bash
# In Debian's Chromium: a login of another browser is seen and ended; a login gets a second factor, is asked for its password again on the way, and comes in with the code of an
# authenticator app and with a recovery code.
#
#   tests/security.sh [--all]      --all changes nothing
#
# Pictures of the pages are kept in .collector/review/. Needs what `./dev setup` installs and a build.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
. demo/desktop.sh
. demo/server.sh

readonly pictures=$PWD/.collector/review
state=$(mktemp -d "${TMPDIR:-/tmp}/security.XXXXXX")
clean_up() {
  server_down
  rm -rf "$state"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

export COLLECTOR_PROOF_SECS=3
server_up "$state/server" && server_people || exit 1
mkdir -p "$pictures"
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
(cd ui && CHROMIUM=$browser REVIEW_PASSWORD=$server_password node browser/security.mjs "$server_url" "$server_email" "$pictures") || {
  echo 'The login could not be made safe on the page.' >&2
  exit 1
}
echo 'A second factor was added on the page, and opened the login'
