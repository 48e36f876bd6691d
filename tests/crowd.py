#!/usr/bin/env python3
"""Slow uploaders on bad lines: each sends a recording in small pieces, is cut off at random, asks for the offset and
goes on until the server has it all; then it hands the recording in and reads it back.

  crowd.py SERVER_URL TOKENS_FILE BYTES SECONDS SEED

One uploader for each token in the file. Prints one line of JSON: how many arrived whole, and what they met on the way.
Exit 1 if one did not arrive.
"""
import asyncio
import collections
import hashlib
import json
import random
import sys
import time
import urllib.parse
import uuid

PIECE = 16 << 10
PATIENCE = 60
TUS = {"Tus-Resumable": "1.0.0"}
met = collections.Counter()


class Cut(Exception):
    """The line broke, here or there."""


class Line:
    """One request over a connection of its own."""

    def __init__(self, host, port, token):
        self.host, self.port, self.token = host, port, token

    async def call(self, method, path, headers=None, body=b"", pace=0.0, cut_after=None):
        writer = None
        try:
            async with asyncio.timeout(PATIENCE):
                reader, writer = await asyncio.open_connection(self.host, self.port)
                head = {"Host": f"{self.host}:{self.port}", "Connection": "close", "Content-Length": str(len(body)),
                        "Authorization": f"Bearer {self.token}", **(headers or {})}
                lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
                writer.write(f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode())
                for at in range(0, len(body), PIECE):
                    if cut_after is not None and at > cut_after:
                        writer.transport.abort()
                        met["cut by the client"] += 1
                        raise Cut
                    writer.write(body[at:at + PIECE])
                    await writer.drain()
                    await asyncio.sleep(pace)
                answer = await reader.read(-1)
        except (OSError, TimeoutError) as error:
            met["cut by the server"] += 1
            raise Cut from error
        finally:
            if writer is not None:
                writer.close()
        head, _, rest = answer.partition(b"\r\n\r\n")
        if not head:
            met["cut by the server"] += 1
            raise Cut
        first, *others = head.decode().split("\r\n")
        pairs = (line.split(":", 1) for line in others)
        return int(first.split(" ")[1]), {name.lower(): value.strip() for name, value in pairs}, rest

    async def until(self, method, path, headers=None, body=b"", good=(200, 201, 204)):
        """Until there is an answer that counts."""
        while True:
            try:
                status, told, rest = await self.call(method, path, headers, body)
            except Cut:
                await asyncio.sleep(0.2)
                continue
            if status in good:
                return status, told, rest
            if status not in (409, 429, 500, 503):
                raise RuntimeError(f"{method} {path}: {status} {rest[:300]}")
            met[f"answered {status}"] += 1
            await asyncio.sleep(float(told.get("retry-after", "0.2")))


async def upload(line, whole, secs, chance):
    """Sends all of it; the path of the upload."""
    _, told, _ = await line.until("POST", "/api/v1/uploads", {**TUS, "Upload-Length": str(len(whole))})
    path, offset, pace = told["location"], 0, secs * PIECE / len(whole)
    while offset < len(whole):
        end = min(len(whole), offset + chance.randrange(PIECE, len(whole)))
        cut = chance.randrange(0, 2 * (end - offset))
        headers = {**TUS, "Content-Type": "application/offset+octet-stream", "Upload-Offset": str(offset)}
        try:
            status, _, rest = await line.call("PATCH", path, headers, whole[offset:end], pace, cut)
            if status not in (204, 400, 408, 409, 503):
                raise RuntimeError(f"PATCH: {status} {rest[:300]}")
            met[f"answered {status}"] += 1
        except Cut:
            pass
        _, told, _ = await line.until("HEAD", path, TUS)
        now = int(told["upload-offset"])
        if now < offset:
            raise RuntimeError(f"the server is at {now} and had confirmed {offset}")
        offset = now
    return path


async def hand_in(line, path, whole):
    goals = json.loads((await line.until("GET", "/api/v1/assignments"))[2])["items"]
    goal, sum_ = goals[0]["id"], hashlib.sha256(whole).hexdigest()
    for verb in ("claim", "start"):
        await line.until("POST", f"/api/v1/assignments/{goal}/{verb}", good=(200, 409))
    file = {"bytes": len(whole), "sha256": sum_}
    body = {"id": str(uuid.uuid4()), "assignment_id": goal, "manifest": manifest({"video.mp4": file}),
            "uploads": [{"track": "video", "upload_id": path.rsplit("/", 1)[1], **file}]}
    await line.until("POST", "/api/v1/submissions", {"Content-Type": "application/json"}, json.dumps(body).encode())


def manifest(files):
    return {
        "format": 1, "id": str(uuid.UUID(int=0)), "stage": "checked", "goal": None, "campaign_id": None,
        "assignment_id": None, "tier": None, "app_version": "0.1.0",
        "system": {"os": "linux", "arch": "x86_64", "display": "x11"},
        "clock": {"started_at": "2026-01-01T00:00:00Z", "first_frame_monotonic_nanos": 0,
                  "first_sample_monotonic_nanos": None, "av_offset_ms": None},
        "screen": {"id": "1", "name": "1", "width": 1280, "height": 720, "picture_width": 1280, "picture_height": 720,
                   "fps": 15},
        "microphone": None, "input_events": {"recorded": True, "reason": None},
        "encoder": {"video": "libx264", "audio": None, "library": "x", "probes": []},
        "fragments": [], "pauses": [], "cuts": [], "gaps": [],
        "drift": {"ppm": None, "worst_offset_ms": None, "filled_ms": 0.0, "skipped_ms": 0.0},
        "frames": {"due": 1, "captured": 1, "dropped_per_second": {}},
        "health": [], "consent": None, "quality": None, "files": files,
    }


async def one(number, line, size, secs, seed):
    chance = random.Random(f"{seed} {number}")
    whole = b"\0\0\0\x20ftypisom" + chance.randbytes(size - 12)
    await asyncio.sleep(chance.uniform(0, secs / 4))
    path = await upload(line, whole, secs, chance)
    await hand_in(line, path, whole)
    _, _, got = await line.until("GET", path)
    return got == whole


async def main():
    server, tokens, size, secs, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), sys.argv[5]
    address = urllib.parse.urlsplit(server)
    with open(tokens, encoding="utf-8") as file:
        lines = [Line(address.hostname, address.port, token) for token in file.read().split()]
    began = time.monotonic()
    ended = await asyncio.gather(*(one(number, line, size, secs, seed) for number, line in enumerate(lines)),
                                 return_exceptions=True)
    for failure in (outcome for outcome in ended if isinstance(outcome, BaseException)):
        print(f"an upload did not arrive: {failure!r}", file=sys.stderr)
    whole = sum(outcome is True for outcome in ended)
    print(json.dumps({"uploads": len(lines), "whole": whole, "seconds": round(time.monotonic() - began, 1), **met}))
    sys.exit(0 if whole == len(lines) else 1)


if __name__ == "__main__":
    asyncio.run(main())
