#!/usr/bin/env bash
# Type-checks `capture`, where all of the recorder's code for Windows and macOS lies, for both systems, its warnings as
# errors. Nothing is linked and nothing is run.
#
#   tests/targets.sh [--all]
#
# Debian's Rust comes with the source of the standard library, which is made for each system first; all of it is kept under
# .collector/targets. Without these packages it ends with 77 and says so.
#
# Again only when what it rests on has changed:
# inputs: tests/targets.sh Cargo.toml Cargo.lock recorder-app/capture/Cargo.toml recorder-app/capture/src shared-types/Cargo.toml shared-types/src shared-types/media/Cargo.toml shared-types/media/src
# packages: rustc-web cargo-web rust-web-src gcc-mingw-w64-x86-64
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

case ${1:-} in
  '' | --all) ;;
  *) echo "Say tests/targets.sh or tests/targets.sh --all." >&2 && exit 2 ;;
esac
[ -x /usr/bin/rustc ] && [ -d "$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust/library" ] && command -v x86_64-w64-mingw32-gcc >/dev/null || {
  echo 'type-checking for Windows and macOS needs the packages rustc-web, cargo-web, rust-web-src and gcc-mingw-w64-x86-64 of Debian'
  exit 77
}
# A standard library of one's own is no stable feature, and this Rust is not the one that builds the project: a folder of
# its own keeps the two apart.
export RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$PWD/.collector/targets
# One of macOS's crates compiles a piece of Objective-C, for which there is no compiler here; as nothing is linked, what
# comes of it does not matter.
export CC_aarch64_apple_darwin=/bin/true AR_aarch64_apple_darwin=/bin/true SDKROOT=/
# Nothing is run, so no code is made, and nothing is optimised: a profile of its own, for those of the workspace ask for
# both, crate by crate.
export CARGO_PROFILE_TYPES_INHERITS=release CARGO_PROFILE_TYPES_OPT_LEVEL=0 CARGO_PROFILE_TYPES_DEBUG=false
export RUSTFLAGS='-Dwarnings -Zno-codegen'

# check SYSTEM...: in one go both systems share the programs that the crates are built with.
check() { /usr/bin/cargo check --locked --profile types -Zbuild-std=std,panic_abort "${@/#/--target=}" -p capture; }

systems=(x86_64-pc-windows-gnu aarch64-apple-darwin)
if check "${systems[@]}"; then
  echo "capture type-checks for ${systems[*]}"
  exit 0
fi
for system in "${systems[@]}"; do
  check "$system" && echo "capture type-checks for $system" || echo "capture does not type-check for $system" >&2
done
exit 1
