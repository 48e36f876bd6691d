#!/usr/bin/env bash
# A microphone of a real sound system, PulseAudio, that is unplugged, a sound system that dies and comes back, one that freezes, and another
# microphone, at another rate, that the system changes to; each during a take. What the worker should know is told with what
# to do, the take goes on, and the voice is in the file before and after. A take whose sound system is frozen ends when it is
# told to.
#
#   tests/microphone.sh
#
# PulseAudio moves the recording of a microphone that is unplugged to another one by itself; that is told, and the chosen one
# is gone back to when it is plugged in again. A take that asks for the default microphone all the while keeps one connection.
# With DESKTOP_SOUND=pipewire all of it is PipeWire's. Needs what `./dev setup` installs and a build.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
. demo/desktop.sh

case ${1:-} in '' | --all) ;; *) echo 'tests/microphone.sh takes nothing but --all, which changes nothing.' >&2 && exit 2 ;; esac
readonly recorder=${CARGO_TARGET_DIR:-target}/debug/recorder
[ -x "$recorder" ] || { echo "$recorder does not exist yet. Build it with cargo build --workspace --all-targets." >&2 && exit 1; }
state=$(mktemp -d "${TMPDIR:-/tmp}/microphone.XXXXXX")
pid='' good=false

clean_up() {
  [ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null
  desktop_down
  if $good; then rm -rf "$state"; else echo "What was made is kept in $state."; fi
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail() {
  echo "$1" >&2
  [ -z "${2:-}" ] || tail -n 12 "$2" | sed 's/^/  /' >&2
  exit 1
}

# begin NAME OPTION...: a take of the test card.
begin() {
  take=$state/$1
  shift
  "$recorder" record --screen synthetic --out "$take" "$@" >"$take.log" 2>&1 &
  pid=$!
  desktop_wait 60 grep -q '^Recording' "$take.log" || fail 'The take did not begin.' "$take.log"
  sleep 5
}

end() {
  sleep 5
  kill -TERM "$pid"
  desktop_wait 60 desktop_gone "$pid" || fail 'The take did not end.' "$take.log"
  wait "$pid" || fail 'The take did not end well.' "$take.log"
  pid=''
}

# told KIND: the take knows of it, and says what happened and what to do.
told() { desktop_wait 40 grep -q "\"kind\": \"$1\"" "$take/recording.json" || fail "Nobody was told of $1." "$take.log"; }

# loud FROM: a beep is heard in the four seconds from there on. Negative counts from the end.
loud() {
  local from=(-ss "$1")
  [ "${1#-}" = "$1" ] || from=(-sseof "$1")
  ffmpeg -nostdin -v info "${from[@]}" -t 4 -i "$take/video.mp4" -map a -af volumedetect -f null - 2>&1 |
    grep -Eo 'max_volume: -?[0-9]+' | awk '{ exit !($2 > -40) }' || fail "The voice is missing at $1 s of $(basename "$take")." "$take.log"
}

# held: how many connections to the sound system and threads the take has.
held() {
  echo "$(pactl list clients | grep -c "\"cpal-pulseaudio-$pid\"") $(find "/proc/$pid/task" -mindepth 1 -maxdepth 1 | wc -l)"
}

# asked COUNT: since the take began, the recorder has asked the sound system so often, once in three seconds.
asked() { [ "$(ps -o etimes= -p "$pid")" -ge $((3 * $1 + 4)) ]; }

plug() {
  pactl load-module module-remap-source source_name="$1" master=vspeaker.monitor rate="$2" channels="$3" \
    source_properties=device.description="$1"
}

/usr/bin/python3 -c '
import array, math, sys
tone = array.array("h", (round(9000 * math.sin(2 * math.pi * 440 * i / 48000)) for i in range(48000)))
sys.stdout.buffer.write(tone.tobytes())' >"$state/tone.raw"

# voice: somebody speaks from now on, until the sound system is gone.
voice() {
  while cat "$state/tone.raw"; do :; done 2>/dev/null |
    pacat --playback --raw --format=s16le --channels=1 --rate=48000 >"$state/voice.log" 2>&1 &
  desktop_pids+=($!)
}

desktop_up "$state/desktop" || exit 1
voice
headset=$(plug headset 48000 1) || fail 'PulseAudio takes no second microphone.'
chosen=$("$recorder" devices | grep -Eo '"id": *"[^"]*headset[^"]*"' | head -n 1 | sed 's/.*: *"//; s/"$//')
[ -n "$chosen" ] || fail 'The recorder does not list the second microphone.'

begin unplugged --mic "$chosen"
pactl unload-module "$headset"
told mic_moved
grep -q 'Plug it in again' "$take.log" || fail 'It is not said what to do.' "$take.log"
plug headset 48000 1 >/dev/null
told mic_back
end
loud 0.5
loud -4
grep -o 'The microphone[^"]*gone[^"]*' "$take.log"
echo 'well: unplugged, the voice goes on with another microphone, and comes back with the chosen one'

begin changed
read -r connections threads <<<"$(held)"
desktop_wait 60 asked 6 || fail 'The take does not go on.' "$take.log"
read -r connections_now threads_now <<<"$(held)"
[ "$connections" -gt 0 ] && [ "$connections_now" -le "$connections" ] && [ "$threads_now" -le "$threads" ] ||
  fail "Connections to the sound system went from $connections to $connections_now, threads from $threads to $threads_now."
echo "well: asked six times, still $connections_now connection and $threads_now threads"
plug other 16000 1 >/dev/null
pactl set-default-source other
told mic_changed
end
loud 0.5
loud -4
grep -o 'The system changed.*here on' "$take/recording.json"
echo 'well: another one became the default, at another rate'
begin restarted
kill -KILL "${desktop_sound_pids[@]}"
told mic_lost
desktop_sound || fail 'The sound system did not come back.'
voice
told mic_back
end
loud 0.5
loud -4
grep -o 'The microphone[^"]*' "$take/recording.json"
echo 'well: the sound system died and came back'

begin frozen
kill -STOP "${desktop_sound_pids[@]}"
told mic_lost
grep -q 'sound system does not answer' "$take.log" || fail 'It is not said why.' "$take.log"
kill -TERM "$pid"
desktop_wait 10 desktop_gone "$pid" || fail 'The take does not end while the sound system is frozen.' "$take.log"
wait "$pid" || fail 'The take did not end well.' "$take.log"
pid=''
kill -CONT "${desktop_sound_pids[@]}"
loud 0.5
"$recorder" check "$take" >"$take.quality.json" 2>>"$take.log"
case $? in 0 | 3 | 4) ;; *) fail 'The take cannot be judged.' "$take.log" ;; esac
! grep -qE '"(corrupt_file|truncated_file|no_audio_stream)"' "$take.quality.json" || fail 'The take is not whole.' "$take.quality.json"
echo 'well: the sound system froze, and the take ended when it was told to'

good=true
