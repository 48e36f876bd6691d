#!/usr/bin/env bash
# How near the pipeline comes to the truth: it runs on every recording of a corpus, with and without input events, and every
# figure that the design names a bar for comes out in one table.
#
#   bench/truth.sh [--corpus DIR] [--short] [--keep] [--json FILE]
#
# Without --corpus the project's own is made first (bench/truth/make.py): two shops, three voices, quiet and noisy, light and
# dark, and every defect. It lies in the user's cache, under a name that changes with what makes it. --short takes a few
# recordings of it; --keep writes the figures to bench/truth/baseline.json, against which they are held otherwise (of the
# own corpus only). --json says where the figures go for machines (.collector/truth/figures.json). Ends with 1 if a figure fell or
# missed its bar.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
. bench/truth/own.sh

readonly work=.collector/truth
# Good takes of both shops, one with private data, one with voices of people, a copy, and defects that are cheap to judge.
readonly short_set=lamp.mp4,jacket.mp4,account.mp4,people.mp4,copy_lamp.mp4,empty.mp4,letter.mp4,hls_playlist.mp4,no_index.mp4,silent.mp4,video_only.mp4
corpus='' short=false keep=() json=$work/figures.json

while [ $# -gt 0 ]; do
  case $1 in
    --corpus) corpus=${2:-} && shift ;;
    --json) json=${2:-} && shift ;;
    --short) short=true ;;
    --keep) keep=(--keep) ;;
    *) echo "bench/truth.sh does not know \"$1\": it takes --corpus DIR, --short, --keep and --json FILE." >&2 && exit 2 ;;
  esac
  shift
done
[ -z "$corpus" ] || [ -e "$corpus/manifest.json" ] || { echo "$corpus has no manifest.json: give --corpus the folder of a corpus." >&2 && exit 2; }

pipeline=$(own_pipeline) || exit 1
mkdir -p "$work"
options=(--pipeline "$pipeline" --work "$work/runs" --json "$json")
if [ -z "$corpus" ]; then
  corpus=$(own_corpus) || exit 1
  options+=(--baseline bench/truth/baseline.json "${keep[@]}")
  if $short; then options+=(--set short --only "$short_set"); else options+=(--set full); fi
elif $short || [ ${#keep[@]} -gt 0 ]; then
  echo '--short and --keep are for the own corpus, without --corpus.' >&2 && exit 2
fi
PYTHONDONTWRITEBYTECODE=1 exec /usr/bin/python3 bench/truth/run.py --corpus "$corpus" "${options[@]}"
