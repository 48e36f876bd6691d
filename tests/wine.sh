#!/usr/bin/env bash
# Builds tests that need neither FFmpeg nor a desktop as Windows programs and runs them under Wine: those of shared-types, of media
# without FFmpeg, and those that lie in capture itself. Capturing is not run: Wine has nothing to capture with.
#
#   tests/wine.sh [--all]
#
# Debian's Rust comes with the source of the standard library, which is made for Windows first; all of it is kept under
# .collector/wine. Without these packages it ends with 77 and says so.
#
# Only with --all, and again when what it rests on has changed:
# inputs: tests/wine.sh Cargo.toml Cargo.lock recorder-app/capture/Cargo.toml recorder-app/capture/src shared-types/Cargo.toml shared-types/src shared-types/tests shared-types/media/Cargo.toml shared-types/media/src shared-types/media/tests
# packages: rustc-web cargo-web rust-web-src gcc-mingw-w64-x86-64 wine wine64
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

case ${1:-} in
  '' | --all) ;;
  *) echo "Say tests/wine.sh or tests/wine.sh --all." >&2 && exit 2 ;;
esac
{ [ -x /usr/bin/rustc ] && [ -d "$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust/library" ] &&
  command -v x86_64-w64-mingw32-gcc >/dev/null && command -v wine >/dev/null; } || {
  echo 'running tests under Wine needs the packages rustc-web, cargo-web, rust-web-src, gcc-mingw-w64-x86-64, wine and wine64 of Debian'
  exit 77
}
readonly place=$PWD/.collector/wine system=x86_64-pc-windows-gnu
mkdir -p "$place/beside"

# stand_in NAME LIBRARY...: a library that Wine 8 lacks, from C on stdin.
stand_in() { x86_64-w64-mingw32-gcc -shared -o "$place/beside/$1.dll" -xc - "${@:2}" || exit 1; }
# Rust takes chance from it; Wine has the same under another name.
stand_in bcryptprimitives -ladvapi32 <<'C'
#include <windows.h>
#include <ntsecapi.h>
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE bytes, SIZE_T count) { return RtlGenRandom(bytes, count); }
C
# What captures screens links to it; no test calls it, and who did would be told that it is not implemented.
stand_in coremessaging <<'C'
__declspec(dllexport) long CreateDispatcherQueueController(void) { return 0x80004001L; }
C

# Wine's own home, without the installers that it would offer for .NET and HTML.
export WINEPREFIX=$place/home WINEDEBUG=-all WINEDLLOVERRIDES='mscoree,mshtml=' WINEPATH
WINEPATH="Z:${place//\//\\}\\beside"
# Its own server would stay for a while; this ends that of this home alone.
trap 'wineserver -k' EXIT

# As in tests/targets.sh: a standard library of one's own is no stable feature, and this Rust not the one that builds the project.
export RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$place/target CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=false
export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER=x86_64-w64-mingw32-gcc CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER='timeout 300 wine'
# The bindings of Windows are the largest crate here, and hardly anything of them runs.
/usr/bin/cargo test --locked -Zbuild-std=std,panic_unwind,test --config 'profile.dev.package.windows.opt-level=0' \
  --target "$system" -p shared-types -p media -p capture --tests || exit 1
echo "the tests of shared-types, of media without FFmpeg and of capture itself pass under $(wine --version)"
