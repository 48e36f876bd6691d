#!/usr/bin/env bash
# A Wayland desktop of one's own, seen by nobody, whose portal lets programs record its screen.
#
#   tests/wayland_session.sh DIR COMMAND [ARGUMENT...]     runs the command in it and ends with its status
#
# sway without a display or a graphics processor, Xwayland, PipeWire with WirePlumber, xdg-desktop-portal with its part
# for wlroots, all on a message bus of their own; state, logs and the processes (pipewire.pid) lie in DIR. Whoever asks for the screen gets what the
# file DIR/choice names: the output HEADLESS-1, or, when it is empty, a refusal.
set -u
state=$1
shift

# The second time around, on the private bus: starts everything, then the command.
if [ "${WAYLAND_SESSION:-}" = bus ]; then
  pids=()
  end_all() {
    trap - EXIT INT TERM
    local number
    for ((number = ${#pids[@]} - 1; number >= 0; number--)); do kill "${pids[number]}" 2>/dev/null; done
    wait
  }
  trap end_all EXIT
  trap 'exit 143' INT TERM
  launch() {
    local log=$state/$1.log
    shift
    "$@" >"$log" 2>&1 &
    pids+=($!)
    echo $! >"${log%.log}.pid"
  }
  until_true() { # WHAT COMMAND...
    local what=$1 tries
    shift
    for ((tries = 0; tries < 300; tries++)); do
      "$@" >/dev/null 2>&1 && return 0
      sleep 0.1
    done
    echo "$what did not start. See the logs in $state." >&2
    exit 70
  }
  is_on_bus() { dbus-send --session --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.GetNameOwner "string:$1"; }
  casts() {
    dbus-send --session --print-reply --dest=org.freedesktop.portal.Desktop /org/freedesktop/portal/desktop \
      org.freedesktop.DBus.Properties.Get string:org.freedesktop.portal.ScreenCast string:version
  }
  launch pipewire pipewire
  until_true PipeWire test -S "$XDG_RUNTIME_DIR/pipewire-0"
  launch wireplumber wireplumber
  launch sway env WLR_BACKENDS=headless WLR_RENDERER=pixman WLR_LIBINPUT_NO_DEVICES=1 sway -c "$state/sway.conf"
  until_true sway test -s "$state/env"
  set -a
  . "$state/env"
  set +a
  # As the system would, it is started again when it dies.
  launch portal-wlr-again bash -c 'trap "kill \$pid; exit" TERM
    while true; do
      LD_PRELOAD=$1/memory.so /usr/libexec/xdg-desktop-portal-wlr &
      pid=$!
      echo "$pid" >"$1/portal-wlr.pid"
      wait "$pid"
      sleep 0.2
    done' again "$state"
  until_true 'The portal of wlroots' is_on_bus org.freedesktop.impl.portal.desktop.wlr
  # The bus itself starts it when it is first asked for.
  until_true 'The portal' casts
  "$@"
  exit $?
fi

mkdir -p "$state"/{config/xdg-desktop-portal-wlr,portals,home} && mkdir -m 700 "$state/run" || exit 1
state=$(realpath "$state")
echo HEADLESS-1 >"$state/choice"
cp /usr/share/xdg-desktop-portal/portals/wlr.portal "$state/portals/" || exit 69
cat >"$state/config/xdg-desktop-portal-wlr/config" <<CONFIG
[screencast]
max_fps=60
chooser_type=simple
chooser_cmd=cat $state/choice
CONFIG
cat >"$state/sway.conf" <<CONFIG
output HEADLESS-1 mode 1280x720@60Hz position 0 0 background #203040 solid_color
exec env | grep -E '^(DISPLAY|WAYLAND_DISPLAY|SWAYSOCK)=' > $state/env.part && mv $state/env.part $state/env
CONFIG

# Version 0.7 of the portal for wlroots only starts to share where the compositor offers its buffers as DMA-BUF, which no
# software renderer does. Loaded into that one process, this says that the format of the shared memory is offered as
# DMA-BUF too; as there is no device to make one with, shared memory is what both sides then agree on.
cat >"$state/memory.c" <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <string.h>

struct wl_proxy;
extern const char *wl_proxy_get_class(struct wl_proxy *proxy);

/* The listener of zwlr_screencopy_frame_v1, version 3. */
struct frame_listener {
  void (*buffer)(void *data, struct wl_proxy *frame, uint32_t format, uint32_t width, uint32_t height, uint32_t stride);
  void (*flags)(void *, struct wl_proxy *, uint32_t);
  void (*ready)(void *, struct wl_proxy *, uint32_t, uint32_t, uint32_t);
  void (*failed)(void *, struct wl_proxy *);
  void (*damage)(void *, struct wl_proxy *, uint32_t, uint32_t, uint32_t, uint32_t);
  void (*linux_dmabuf)(void *data, struct wl_proxy *frame, uint32_t fourcc, uint32_t width, uint32_t height);
  void (*buffer_done)(void *, struct wl_proxy *);
};
static struct frame_listener asked, given;

static void buffer(void *data, struct wl_proxy *frame, uint32_t format, uint32_t width, uint32_t height, uint32_t stride) {
  /* wl_shm has numbers of its own for the two formats that everyone has; all others are fourcc already. */
  static const uint32_t fourcc[] = {0x34325241 /* AR24 */, 0x34325258 /* XR24 */};
  asked.buffer(data, frame, format, width, height, stride);
  asked.linux_dmabuf(data, frame, format < 2 ? fourcc[format] : format, width, height);
}

int wl_proxy_add_listener(struct wl_proxy *proxy, void (**listener)(void), void *data) {
  static int (*real)(struct wl_proxy *, void (**)(void), void *);
  if (!real) real = (int (*)(struct wl_proxy *, void (**)(void), void *))dlsym(RTLD_NEXT, "wl_proxy_add_listener");
  if (strcmp(wl_proxy_get_class(proxy), "zwlr_screencopy_frame_v1") == 0) {
    memcpy(&asked, listener, sizeof asked);
    given = asked;
    given.buffer = buffer;
    listener = (void (**)(void))&given;
  }
  return real(proxy, listener, data);
}
C
cc -O1 -shared -fPIC -o "$state/memory.so" "$state/memory.c" -ldl || exit 69

export WAYLAND_SESSION=bus HOME=$state/home XDG_RUNTIME_DIR=$state/run XDG_CONFIG_HOME=$state/config
export XDG_CACHE_HOME=$state/home/cache XDG_STATE_HOME=$state/home/state XDG_DATA_HOME=$state/home/data
export XDG_DESKTOP_PORTAL_DIR=$state/portals XDG_CURRENT_DESKTOP=sway XDG_SESSION_TYPE=wayland NO_AT_BRIDGE=1
unset DISPLAY WAYLAND_DISPLAY SWAYSOCK DBUS_SESSION_BUS_ADDRESS
# sway does not run as root; in a user namespace it sees another user, who still owns root's files.
as_user=()
[ "$(id -u)" -ne 0 ] || as_user=(unshare --user --map-user=1000 --map-group=1000)
exec "${as_user[@]}" dbus-run-session -- "$0" "$state" "$@"
