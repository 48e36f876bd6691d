# shellcheck shell=bash
# What the measurements of the pipeline share; sourced from the top of the repository.

# own_pipeline: the program to measure; a release build where there is one that is not older than the other.
own_pipeline() {
  local target=${CARGO_TARGET_DIR:-target} program
  program=$target/release/pipeline
  [ -x "$program" ] && [ ! "$target/debug/pipeline" -nt "$program" ] || program=$target/debug/pipeline
  [ -x "$program" ] || { echo "$program does not exist yet. Build it with cargo build -p pipeline." >&2 && return 1; }
  echo "$program"
}

# own_corpus: the folder of the project's own corpus, made first if need be. Its name changes with what makes it.
own_corpus() {
  local sum home
  sum=$(cat bench/truth/{browser,defects,film,make,odd,people,scenes,voice}.py bench/truth/voices.txt bench/truth/haven/* demo/shop/* shared-types/tests/fixtures/recording.json \
    pipeline/tests/fixtures/spanish.s16le |
    sha256sum | cut -c 1-16)
  home=${XDG_CACHE_HOME:-$HOME/.cache}/codesight-collector/truth
  if [ ! -e "$home/$sum/manifest.json" ]; then
    echo "Making the corpus in $home/$sum; this takes a few minutes." >&2
    mkdir -p "$home" && rm -rf "$home/$sum" "$home/$sum.part"
    PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 bench/truth/make.py --out "$home/$sum.part" && mv "$home/$sum.part" "$home/$sum" || return 1
  fi
  echo "$home/$sum"
}
