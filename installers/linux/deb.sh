#!/usr/bin/env bash
# Builds the recorder's Debian package, without the network once `./dev setup` has run.
#
#   installers/linux/deb.sh [--debug]      prints the package's path
#
# The screens are built first and lie inside the program. The package depends on the FFmpeg of the Debian it is built on.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
case ${1:-} in
  '') profile=release build=(--release --features recorder-app/custom-protocol) bundle=() ;;
  --debug) profile=debug build=() bundle=(--debug) ;;
  *) echo "Say installers/linux/deb.sh or installers/linux/deb.sh --debug." >&2 && exit 2 ;;
esac
[ -x ui/node_modules/.bin/tauri ] || { echo "The packager is not installed. Run ./dev setup first." >&2 && exit 1; }
npm --prefix ui run build >&2
# The whole workspace is named, so that the dependencies are those of every other build.
cargo build --workspace --bin recorder-app "${build[@]}" >&2
(cd recorder-app && ../ui/node_modules/.bin/tauri bundle "${bundle[@]}" --bundles deb --ci >&2)
find "${CARGO_TARGET_DIR:-target}/$profile/bundle/deb" -name "*.deb" -newer ui/dist/recorder.html
