#!/usr/bin/env bash
# The sound of a PipeWire in PulseAudio's place, which many desktops have.
#
#   tests/pipewire.sh [--all]
#
# A PipeWire of the test's own, with its session manager and what speaks PulseAudio's protocol for it. Picture and sound lie in
# the file when they were there (tests/sync.sh), and a microphone that is unplugged or changed and a sound system that dies
# or freezes are met as with PulseAudio (tests/microphone.sh).
#
# Only with --all, and again when what it rests on has changed:
# inputs: tests/pipewire.sh tests/sync.sh tests/microphone.sh tests/stage.py demo/desktop.sh demo/sound.py Cargo.lock recorder-app/capture recorder-app/recorder-core/src shared-types/media/src
# packages: pipewire pipewire-pulse wireplumber dbus
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

case ${1:-} in '' | --all) ;; *) echo 'tests/pipewire.sh takes nothing but --all, which changes nothing.' >&2 && exit 2 ;; esac
export DESKTOP_SOUND=pipewire
tests/sync.sh && tests/microphone.sh
