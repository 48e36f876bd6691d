#!/usr/bin/env bash
# A desktop of one's own, seen by nobody: Xvfb, openbox, and a PulseAudio whose null sink is also the microphone, or with
# DESKTOP_SOUND=pipewire a PipeWire in its place.
#
#   demo/desktop.sh COMMAND [ARGUMENT...]     runs the command in such a desktop and ends with its status
#
# or source it: `desktop_up DIR` starts everything with its state and logs in DIR and sets DISPLAY and PULSE_SERVER;
# `desktop_browser` opens Chromium over the whole screen; `desktop_down` ends what was started, by process id.
# Nobody's real screen, sound or browser profile is touched. DESKTOP_SIZE is 1280x720 unless set.

desktop_pids=()
# What the sound comes from, the server itself first.
desktop_sound_pids=()

desktop_fail() {
  echo "$1 See the logs in $desktop_dir." >&2
  return 1
}

# desktop_wait SECONDS COMMAND...: until the command succeeds.
desktop_wait() {
  local tries=$(($1 * 20))
  shift
  until "$@" >/dev/null 2>&1; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || return 1
    sleep 0.05
  done
}

desktop_up() {
  desktop_size=${DESKTOP_SIZE:-1280x720}
  mkdir -p "$1" && desktop_dir=$(realpath "$1") && rm -f "$desktop_dir/display"
  # Sockets have short path limits, so they lie outside the state folder.
  desktop_run=$(mktemp -d "${TMPDIR:-/tmp}/desktop.XXXXXX") || return 1

  Xvfb -displayfd 3 -screen 0 "${desktop_size}x24" -nolisten tcp -noreset +extension XTEST \
    3>"$desktop_dir/display" >"$desktop_dir/xvfb.log" 2>&1 &
  desktop_pids+=($!)
  desktop_wait 20 grep -q . "$desktop_dir/display" || { desktop_fail "The virtual screen (Xvfb) did not start."; return 1; }
  DISPLAY=":$(cat "$desktop_dir/display")"
  export DISPLAY
  export DBUS_SESSION_BUS_ADDRESS=disabled:
  unset WAYLAND_DISPLAY

  cat >"$desktop_dir/openbox.xml" <<'XML'
<openbox_config xmlns="http://openbox.org/3.4/rc">
  <applications><application class="*"><decor>no</decor><maximized>yes</maximized><focus>yes</focus></application></applications>
</openbox_config>
XML
  openbox --sm-disable --config-file "$desktop_dir/openbox.xml" >"$desktop_dir/openbox.log" 2>&1 &
  desktop_pids+=($!)

  export PULSE_COOKIE=$desktop_run/cookie
  desktop_sound || { desktop_fail "The virtual sound card did not start."; return 1; }
  desktop_wait 10 desktop_is_managed || { desktop_fail "The window manager (openbox) did not start."; return 1; }
}

desktop_sound() { "desktop_sound_${DESKTOP_SOUND:-pulseaudio}"; }

desktop_sound_pulseaudio() {
  cat >"$desktop_dir/sound.pa" <<PA
load-module module-native-protocol-unix auth-anonymous=1 socket=$desktop_run/sound
load-module module-null-sink sink_name=vspeaker rate=48000 channels=2
load-module module-remap-source source_name=vmic master=vspeaker.monitor source_properties=device.description=Virtual_Microphone
set-default-sink vspeaker
set-default-source vmic
PA
  export PULSE_SERVER=unix:$desktop_run/sound
  XDG_RUNTIME_DIR=$desktop_run HOME=$desktop_run pulseaudio -n -F "$desktop_dir/sound.pa" --daemonize=no --exit-idle-time=-1 \
    --use-pid-file=no --realtime=no --high-priority=no >>"$desktop_dir/pulseaudio.log" 2>&1 &
  desktop_sound_pids=($!)
  desktop_pids+=($!)
  desktop_wait 20 pactl info
}

# PipeWire, its session manager and what speaks PulseAudio's protocol for it, on a message bus of their own.
desktop_sound_pipewire() {
  local program bus=unix:path=$desktop_run/bus
  export PULSE_SERVER=unix:$desktop_run/pulse/native
  if [ ! -S "$desktop_run/bus" ]; then
    dbus-daemon --session --nofork --nopidfile --address="$bus" >"$desktop_dir/bus.log" 2>&1 &
    desktop_pids+=($!)
    desktop_wait 20 test -S "$desktop_run/bus" || return 1
  fi
  desktop_sound_pids=()
  for program in pipewire wireplumber pipewire-pulse; do
    DBUS_SESSION_BUS_ADDRESS=$bus XDG_RUNTIME_DIR=$desktop_run HOME=$desktop_run "$program" >>"$desktop_dir/$program.log" 2>&1 &
    desktop_sound_pids+=($!)
    desktop_pids+=($!)
    [ "$program" != pipewire ] || desktop_wait 20 test -S "$desktop_run/pipewire-0" || return 1
  done
  desktop_wait 20 pactl info && pactl load-module module-null-sink sink_name=vspeaker rate=48000 channels=2 >/dev/null &&
    pactl load-module module-remap-source source_name=vmic master=vspeaker.monitor \
      source_properties=device.description=Virtual_Microphone >/dev/null &&
    desktop_wait 20 pactl set-default-sink vspeaker && desktop_wait 20 pactl set-default-source vmic
}

# A browser with an empty profile of its own that asks nothing and looks up nothing outside this machine.
desktop_browser() {
  local browser sandbox=()
  browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || {
    echo "No Chromium was found. Install the package chromium." >&2
    return 1
  }
  [ "$(id -u)" -ne 0 ] || sandbox=(--no-sandbox)
  rm -rf "$desktop_dir/profile" && mkdir -p "$desktop_dir/profile/home"
  HOME=$desktop_dir/profile/home "$browser" "${sandbox[@]}" --test-type --user-data-dir="$desktop_dir/profile" \
    --window-position=0,0 --window-size="${desktop_size/x/,}" --start-maximized --lang=en-US --force-device-scale-factor=1 \
    --no-first-run --no-default-browser-check --disable-search-engine-choice-screen --hide-crash-restore-bubble --noerrdialogs \
    --disable-gpu --disable-dev-shm-usage --disable-quic --disable-sync --disable-extensions --disable-component-update \
    --disable-background-networking --disable-client-side-phishing-detection --disable-default-apps --disable-breakpad --no-proxy-server \
    --disable-features=Translate,MediaRouter,OptimizationHints,AutofillServerCommunication,GlobalMediaControls \
    --host-resolver-rules='MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1' --password-store=basic --mute-audio \
    about:blank >"$desktop_dir/browser.log" 2>&1 &
  desktop_pids+=($!)
  desktop_wait 60 desktop_has_window || { desktop_fail "The browser opened no window."; return 1; }
}

desktop_is_managed() { xprop -root _NET_SUPPORTING_WM_CHECK | grep -q 'window id'; }

# The window shows its first page once that page's name is its title.
desktop_has_window() {
  local window
  window=$(xprop -root _NET_ACTIVE_WINDOW | grep -Eo '0x[0-9a-f]*[1-9a-f][0-9a-f]*') && xprop -id "$window" _NET_WM_NAME | grep -q about:blank
}

# Ends what was started, newest first, and waits for it.
desktop_down() {
  local i pid
  for ((i = ${#desktop_pids[@]} - 1; i >= 0; i--)); do
    pid=${desktop_pids[i]}
    kill -TERM "$pid" 2>/dev/null || continue
    desktop_wait 5 desktop_gone "$pid" || kill -KILL "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
  done
  desktop_pids=()
  [ -z "${desktop_run:-}" ] || rm -rf "$desktop_run"
}

# A zombie is gone too: it only waits for this shell to ask.
desktop_gone() {
  local process_state
  process_state=$(sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null) || return 0
  [ -z "$process_state" ] || [ "$process_state" = Z ]
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
  [ $# -gt 0 ] || { echo "Say which command to run in the virtual desktop: $0 COMMAND [ARGUMENT...]" >&2; exit 2; }
  state=$(mktemp -d "${TMPDIR:-/tmp}/desktop-state.XXXXXX")
  trap 'desktop_down; rm -rf "$state"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  desktop_up "$state" || exit 1
  "$@"
fi
