#!/usr/bin/env bash
# What judging a take costs: time, CPU seconds and peak memory of each pass of `pipeline run` on five minutes, and beside it
# a plain script that does the same work with ffmpeg, whisper.cpp and tesseract: a picture every two seconds read, the sound
# written down.
#
#   bench/pipeline.sh [--corpus DIR] [--seconds N]      300 unless said otherwise
#
# The take is made of the good ones of the corpus, one after the other (the project's own without --corpus; bench/truth.sh
# makes it). whisper.cpp comes with the Python package pywhispercpp into a folder of its own, and reads the very model of
# the pipeline; tesseract is the system's. Models have one thread each, so that CPU seconds can be compared.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
. bench/truth/own.sh

seconds=300 corpus=''
while [ $# -gt 0 ]; do
  case $1 in
    --corpus) corpus=${2:-} && shift ;;
    --seconds)
      if ! [[ ${2:-} =~ ^[0-9]{1,4}$ ]] || [ "$2" -lt 20 ]; then echo 'Give --seconds a whole number of at least 20.' >&2 && exit 2; fi
      seconds=$2 && shift ;;
    *) echo "bench/pipeline.sh does not know \"$1\": it takes --corpus DIR and --seconds N." >&2 && exit 2 ;;
  esac
  shift
done
pipeline=$(own_pipeline) || exit 1
[ -n "$corpus" ] || corpus=$(own_corpus) || exit 1
[ -e "$corpus/manifest.json" ] || { echo "$corpus has no manifest.json: give --corpus the folder of a corpus." >&2 && exit 2; }
command -v tesseract >/dev/null || { echo 'tesseract is missing: install the package tesseract-ocr.' >&2 && exit 1; }

readonly peer=${XDG_CACHE_HOME:-$HOME/.cache}/codesight-collector/peer work=.collector/pipeline-bench
if [ ! -d "$peer/pywhispercpp" ]; then
  echo "Fetching pywhispercpp into $peer" >&2
  python3 -m pip install --quiet --target "$peer.part" pywhispercpp==1.5.1 && rm -rf "$peer" && mv "$peer.part" "$peer" ||
    { echo 'pywhispercpp could not be fetched with pip: check the network.' >&2 && exit 1; }
fi
rm -rf "$work" && mkdir -p "$work"
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$peer exec /usr/bin/python3 bench/truth/cost.py --pipeline "$pipeline" --corpus "$corpus" --work "$work" --seconds "$seconds"
