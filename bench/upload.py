#!/usr/bin/env python3
"""Load for a tus 1.0 server: so many uploads at once, each in pieces of one size, and what they cost the server.

  upload.py NAME URL PID COUNT BYTES PIECE [TOKEN]

The bytes come from memory, over one connection an upload. Prints one line of JSON: MB a second (10^6 bytes), CPU seconds
of the server's process for each GiB, its peak memory in MiB, and half and 99 of 100 PATCHes in milliseconds. Exit 1 if an
upload did not arrive.
"""
import http.client
import json
import os
import pathlib
import sys
import threading
import time
import urllib.parse

TUS = {"Tus-Resumable": "1.0.0"}


def cpu_secs(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_mib(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def forget_peak(pid):
    pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")


class Load:
    def __init__(self, url, size, piece, token):
        self.url, self.size, self.token = urllib.parse.urlsplit(url), size, token
        # What begins like a recording, so that a server that looks takes it.
        self.first = memoryview(b"\0\0\0\x20ftypisom" + os.urandom(piece - 12))
        self.other = memoryview(os.urandom(piece))
        self.millis, self.failures, self.lock = [], [], threading.Lock()

    def upload(self):
        line = http.client.HTTPConnection(self.url.hostname, self.url.port, timeout=300)
        line.connect()
        auth = {"Authorization": f"Bearer {self.token}"} if self.token else {}

        def call(method, path, headers, body=None):
            line.request(method, path, body=body, headers={**TUS, **auth, **headers})
            answer = line.getresponse()
            answer.read()
            return answer

        made = call("POST", self.url.path, {"Upload-Length": str(self.size), "Content-Length": "0"})
        if made.status != 201:
            raise RuntimeError(f"POST was answered {made.status}")
        path, offset, millis = urllib.parse.urlsplit(made.headers["Location"]).path, 0, []
        while offset < self.size:
            piece = (self.first if offset == 0 else self.other)[:self.size - offset]
            began = time.perf_counter()
            sent = call("PATCH", path, {"Content-Type": "application/offset+octet-stream",
                                        "Upload-Offset": str(offset), "Content-Length": str(len(piece))}, piece)
            millis.append((time.perf_counter() - began) * 1000)
            offset += len(piece)
            if sent.status != 204 or int(sent.headers["Upload-Offset"]) != offset:
                raise RuntimeError(f"PATCH was answered {sent.status} at {sent.headers['Upload-Offset']}")
        with self.lock:
            self.millis += millis

    def run(self):
        try:
            self.upload()
        except (OSError, RuntimeError, http.client.HTTPException) as error:
            with self.lock:
                self.failures.append(repr(error))


def main():
    name, url, pid, count, size, piece = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:7])
    load = Load(url, size, piece, sys.argv[7] if len(sys.argv) > 7 else "")
    threads = [threading.Thread(target=load.run) for _ in range(count)]
    forget_peak(pid)
    cpu, began = cpu_secs(pid), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    secs, total = time.perf_counter() - began, count * size
    for failure in load.failures:
        print(f"{name}: {failure}", file=sys.stderr)
    if load.failures:
        sys.exit(1)
    millis = sorted(load.millis)
    print(json.dumps({
        "server": name, "uploads": count, "MiB": size >> 20, "piece_MiB": piece >> 20,
        "MB_per_s": round(total / secs / 1e6), "cpu_s_per_GiB": round((cpu_secs(pid) - cpu) / (total / 2**30), 2),
        "peak_MiB": round(peak_mib(pid)), "p50_ms": round(millis[len(millis) // 2]),
        "p99_ms": round(millis[min(len(millis) - 1, len(millis) * 99 // 100)]),
    }))


if __name__ == "__main__":
    main()
