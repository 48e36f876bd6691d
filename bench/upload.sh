#!/usr/bin/env bash
# What uploads cost: our server (SQLite, a folder, fdatasync and commit before each 204, running SHA-256, magic bytes)
# beside @tus/server on its FileStore (neither sync nor hash), rustus (fsync, no hash), and the limits: an axum program
# that counts the bytes and forgets them, and the disk alone. All in one run, one after the other, so that they share the
# machine's mood. Ends with 1 where ours misses its bars with 32 at once: 2.3 CPU-s/GiB and 1.6 without the hash (more on a
# slower machine, by what rustus takes there), 120 MiB and no more of it in the last round than in the first, rustus' speed
# and CPU. No server of ours leaves the hash out, so what a GiB of SHA-256 costs alone is measured in each round and taken off.
# Its last line names every bar, and what was not compared.
#
#   bench/upload.sh [ROUNDS]      3 unless said otherwise
#
# A release build of the server is taken where there is one. rustus is what RUSTUS names, or what `./dev bench upload`
# installed, or what is in the PATH.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
. demo/desktop.sh

case ${1:-} in --corpus) shift 2 ;; esac
rounds=${1:-3}
if ! [[ $rounds =~ ^[1-9][0-9]?$ ]]; then echo 'Give a whole number of rounds.' >&2 && exit 2; fi
[ -d tests/clients/node_modules ] || { echo 'The peer is not installed: run ./dev bench upload, which does that.' >&2 && exit 1; }
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}
. demo/server.sh
program=$CARGO_TARGET_DIR/release/ingest-server
[ -x "$program" ] || program=$server_program
rustus=${RUSTUS:-$HOME/.cache/codesight-collector/peer/rustus/bin/rustus}
[ -x "$rustus" ] || rustus=$(command -v rustus)
[ -n "$rustus" ] || echo 'rustus is not installed and left out; ./dev bench upload installs it.' >&2
sink=$(dirname "$program")/examples/sink
hash=$(dirname "$program")/examples/hash
state=$(mktemp -d "${TMPDIR:-/tmp}/upload.XXXXXX")
pids=()
clean_up() {
  local pid
  for pid in "${pids[@]}"; do kill -KILL "$pid" 2>/dev/null; done
  server_down
  rm -rf "$state"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

free_port() { /usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
answers() { curl -s -o "$state/answer" "$1"; }

# An own folder for each, on the same disk.
export COLLECTOR_WORKER_UPLOADS=64 COLLECTOR_WORKER_UPLOADS_PER_MINUTE=0 COLLECTOR_WORKER_BYTES=$((1 << 40)) RUST_LOG=warn,ingest_server::commands=info
server_up "$state/ours" "$program" || exit 1
server_workers 1 || { echo 'The server took no worker.' >&2 && exit 1; }
peer_port=$(free_port) && mkdir "$state/peer"
node tests/clients/peer.mjs "$peer_port" "$state/peer" >"$state/peer.log" 2>&1 &
peer_pid=$!
pids+=("$peer_pid")
desktop_wait 20 grep -q ready "$state/peer.log" || { echo '@tus/server did not start:' >&2 && cat "$state/peer.log" >&2 && exit 1; }
rustus_pid=''
if [ -n "$rustus" ]; then
  rustus_port=$(free_port) && mkdir "$state/rustus" "$state/rustus-info"
  "$rustus" --host 127.0.0.1 --port "$rustus_port" --url /files --data-dir "$state/rustus" --info-dir "$state/rustus-info" \
    --dir-structure '' --max-body-size 20000000 --force-fsync yes --log-level ERROR >"$state/rustus.log" 2>&1 &
  rustus_pid=$!
  pids+=("$rustus_pid")
  desktop_wait 20 answers "http://127.0.0.1:$rustus_port/" || { echo 'rustus did not start:' >&2 && cat "$state/rustus.log" >&2 && exit 1; }
fi
sink_pid=''
if [ -x "$sink" ]; then
  sink_port=$(free_port)
  "$sink" "127.0.0.1:$sink_port" 2>"$state/sink.log" &
  sink_pid=$!
  pids+=("$sink_pid")
  desktop_wait 20 answers "http://127.0.0.1:$sink_port/files" || { echo 'The plain receiver did not start:' >&2 && cat "$state/sink.log" >&2 && exit 1; }
fi

# The CPU seconds of hashing a GiB, as a line among the others.
hash_alone() {
  [ ! -x "$hash" ] || /usr/bin/python3 - "$hash" <<'PY'
import json, resource, subprocess, sys
subprocess.run([sys.argv[1]], check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({"server": "hash alone", "cpu_s_per_GiB": round(used.ru_utime + used.ru_stime, 2)}))
PY
}

empty() { find "$state/ours/data/objects" "$state/ours/data/uploads" "$state/peer" -type f -delete && sync; }

# case_of UPLOADS MIB PIECE_MIB: every server once.
case_of() {
  local size=$(($2 << 20)) piece=$(($3 << 20))
  /usr/bin/python3 bench/upload.py ours "$server_url/api/v1/uploads" "$server_pid" "$1" $size $piece "$worker_tokens" || exit 1
  empty
  /usr/bin/python3 bench/upload.py @tus/server "http://127.0.0.1:$peer_port/files" "$peer_pid" "$1" $size $piece || exit 1
  empty
  [ -z "$sink_pid" ] || /usr/bin/python3 bench/upload.py 'plain axum, no disk' "http://127.0.0.1:$sink_port/files" "$sink_pid" "$1" $size $piece || exit 1
  [ -z "$rustus_pid" ] && return
  /usr/bin/python3 bench/upload.py 'rustus, fsync' "http://127.0.0.1:$rustus_port/files" "$rustus_pid" "$1" $size $piece || exit 1
  rm -f "$state"/rustus/* && sync
}

for _ in $(seq "$rounds"); do
  case_of 1 512 8
  case_of 32 32 8
  hash_alone || exit 1
done | tee "$state/runs.jsonl"
[ "${PIPESTATUS[0]}" -eq 0 ] || exit 1
dd if=/dev/zero of="$state/disk" bs=8M count=64 conv=fdatasync 2>&1 | tail -n 1 | sed 's/^/disk alone: /'
/usr/bin/python3 - "$state/runs.jsonl" <<'PY'
import collections, json, statistics, sys
runs, hashing = collections.defaultdict(list), []
for line in open(sys.argv[1]):
    run = json.loads(line)
    if run["server"] == "hash alone":
        hashing.append(run)
        continue
    runs[run["uploads"], run["MiB"], run["piece_MiB"], run["server"]].append(run)
middle = lambda some, key: statistics.median(run[key] for run in some)
for (uploads, mib, piece, server), some in sorted(runs.items()):
    ours = runs[uploads, mib, piece, "ours"]
    values = {key: middle(some, key) for key in ("MB_per_s", "cpu_s_per_GiB", "peak_MiB", "p50_ms", "p99_ms")}
    ratios = {key: round(values[key] / (middle(ours, key) or 1), 2) for key in ("MB_per_s", "cpu_s_per_GiB", "peak_MiB", "p99_ms")}
    print(f"{uploads} x {mib} MiB by {piece} MiB, {server}: {values}; to ours {ratios}")

# The bars of many uploads at once.
def of(server):
    return next((some for key, some in runs.items() if key[0] == 32 and key[3] == server), None)
ours, theirs = of("ours"), of("rustus, fsync")
# What a CPU second does differs between machines by a factor of three. Where the bars were set, rustus took 1.79.
scale = max(1, middle(theirs, "cpu_s_per_GiB") / 1.79) if theirs else 1
# What allocators and caches take for themselves moves the peak a little from round to round.
FLAT_MIB = 16
told, missed = [], []


def bar(name, value, most):
    (told if value <= most else missed).append(f"{name} {value:.2f}, at most {most:.2f}")


cpu = middle(ours, "cpu_s_per_GiB")
bar("CPU-s/GiB", cpu, 2.3 * scale)
if hashing:
    alone = middle(hashing, "cpu_s_per_GiB")
    bar(f"CPU-s/GiB less {alone:.2f} of the hash alone", cpu - alone, 1.6 * scale)
else:
    told.append("CPU without the hash not measured (the example hash is not built)")
bar("peak MiB", middle(ours, "peak_MiB"), 120)
if len(ours) > 1:
    bar(f"peak MiB of round {len(ours)}", ours[-1]["peak_MiB"], ours[0]["peak_MiB"] + FLAT_MIB)
else:
    told.append("growth of memory not looked at (one round)")
if theirs:
    bar("CPU, to that of rustus", cpu / middle(theirs, "cpu_s_per_GiB"), 1)
    bar("rustus' MB/s, to ours", middle(theirs, "MB_per_s") / middle(ours, "MB_per_s"), 1)
else:
    told.append("rustus NOT COMPARED (not installed), and no bar scaled by it")
print("Bars of 32 x 32 MiB: " + "; ".join(told))
sys.exit("Missed: " + "; ".join(missed) if missed else 0)
PY
