#!/usr/bin/env bash
# No figure of the pipeline may fall below the one that is kept in bench/truth/baseline.json.
#
#   tests/truth.sh [--all]      --all judges every recording of the own corpus, else a few
#
# Needs what `./dev setup` installs and a build. A change that raises a figure keeps it with bench/truth.sh --keep.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 bench/truth/test_figures.py || exit 1
case ${1:-} in
  '') exec bench/truth.sh --short --json .collector/truth/figures-short.json ;;
  --all) exec bench/truth.sh ;;
  *) echo 'Say tests/truth.sh or tests/truth.sh --all.' >&2 && exit 2 ;;
esac
