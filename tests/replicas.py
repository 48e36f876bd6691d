#!/usr/bin/env python3
"""Starts three replicas and one address before them, kills them at random, and uploads and leases all the while.

  replicas.py SERVER STATE UPLOADERS JOBS      the pipeline's token is read from COLLECTOR_TOKEN
  replicas.py --objects BUCKET PREFIX          counts the objects of a bucket
"""
import asyncio
import hashlib
import json
import os
import pathlib
import random
import signal
import socket
import sys
import time
import urllib.request
import uuid

REPLICAS = 3
# Uploads of one worker, of which the first is handed in.
OF_ONE = 4
MANIFEST = pathlib.Path(__file__).resolve().parent.parent / "shared-types/tests/fixtures/recording.json"
PATIENCE = 20
CHANCE = random.Random(int(os.environ.get("REPLICAS_SEED") or time.time()))
CUT_SHARE = 0.15


class Cut(Exception):
    """The connection ended, by us or by a replica that was killed."""


class Replica:
    def __init__(self, server, state, number):
        self.server, self.state, self.number = server, state, number
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process = None

    async def start(self):
        environment = dict(os.environ, COLLECTOR_LISTEN=f"127.0.0.1:{self.port}", RUST_LOG="warn,ingest_server=info",
                           COLLECTOR_DATA_DIR=str(self.state / f"replica-{self.number}"))
        log = open(self.state / f"replica-{self.number}.log", "ab")
        self.process = await asyncio.create_subprocess_exec(self.server, "serve", env=environment, stderr=log)
        for _ in range(600):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.close()
                return
            except OSError:
                if self.process.returncode is not None:
                    sys.exit(f"Replica {self.number} ended by itself; see {log.name}.")
                await asyncio.sleep(0.05)
        sys.exit(f"Replica {self.number} did not start; see {log.name}.")

    async def kill(self, how):
        self.process.send_signal(how)
        await self.process.wait()


class Balancer:
    """One address; each connection goes to the next replica that answers."""

    def __init__(self, replicas):
        self.replicas, self.turn, self.port = replicas, 0, 0

    async def start(self):
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]

    async def serve(self, reader, writer):
        for _ in self.replicas:
            self.turn += 1
            try:
                there = await asyncio.open_connection("127.0.0.1", self.replicas[self.turn % len(self.replicas)].port)
                break
            except OSError:
                continue
        else:
            writer.close()
            return
        await asyncio.gather(pump(reader, there[1]), pump(there[0], writer))


async def pump(reader, writer):
    try:
        while piece := await reader.read(1 << 16):
            writer.write(piece)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def ask(port, method, path, token, headers=(), body=b"", slow=False, cut_at=None):
    """One request over a connection of its own; `slow` sends in pieces, `cut_at` breaks off there."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    except OSError as error:
        raise Cut from error
    try:
        lines = [f"{method} {path} HTTP/1.1", "Host: test", "Connection: close", f"Content-Length: {len(body)}"]
        lines += [f"Authorization: Bearer {token}"] if token else []
        lines += [f"{name}: {value}" for name, value in headers]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        step = max(1, len(body) // 12) if slow else max(1, len(body))
        for at in range(0, len(body), step):
            if cut_at is not None and at >= cut_at:
                raise Cut
            writer.write(body[at:at + step])
            await writer.drain()
            if slow:
                await asyncio.sleep(CHANCE.uniform(0.005, 0.06))
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 90)
        status = int(head.split(b" ", 2)[1])
        told = dict(line.lower().split(": ", 1) for line in head.decode().split("\r\n")[1:] if ": " in line)
        if method == "HEAD" or status in (204, 304):
            return status, told, b""
        answer = await asyncio.wait_for(reader.read(-1), 90)
        if "content-length" in told and len(answer) != int(told["content-length"]):
            raise Cut
        return status, told, answer
    except (OSError, EOFError, asyncio.IncompleteReadError, asyncio.TimeoutError) as error:
        raise Cut from error
    finally:
        writer.close()


class Run:
    def __init__(self, port, state):
        self.port, self.state = port, state
        self.cuts = self.conflicts = self.refused = 0
        self.done, self.faults = {}, []

    async def until_answered(self, *asked, **more):
        began = time.monotonic()
        while True:
            try:
                answer = await ask(self.port, *asked, **more)
                if answer[0] < 500 and answer[0] != 429:
                    return answer
                self.refused += 1
            except Cut:
                self.cuts += 1
            if time.monotonic() - began > 120:
                raise TimeoutError(f"{asked[:2]} was not answered")
            await asyncio.sleep(CHANCE.uniform(0.05, 0.3))

    async def worker(self, invite, number):
        body = {"invite": invite, "name": "Test", "fiverr_user": f"tester{number}", "device": {"id": f"d{number}", "os": None, "app_version": None},
                "consent": {"version": "2026-11", "accepted_at": "2026-11-01T00:00:00.000Z"}}
        status, _, answer = await self.until_answered("POST", "/api/v1/workers", None, [("Content-Type", "application/json")], json.dumps(body).encode())
        assert status == 201, answer
        return json.loads(answer)["token"]

    async def upload(self, token, number):
        long = number % 10 == 0
        size = CHANCE.randrange(9_000_000, 18_000_000) if long else CHANCE.randrange(200_000, 2_500_000)
        whole = b"\0\0\0\x20ftypisom" + random.Random(number).randbytes(size - 12)
        tus = [("Tus-Resumable", "1.0.0")]
        # An answer that is lost leaves an upload without bytes behind, which is never finished; it is counted.
        _, told, _ = await self.until_answered("POST", "/api/v1/uploads", token, tus + [("Upload-Length", size)])
        path, offset = told["location"], 0
        began = time.monotonic()
        while offset < size:
            if time.monotonic() - began > 400:
                return self.faults.append(f"upload {number} came to {offset} of {size} only")
            piece = whole[offset:offset + CHANCE.randrange(1 << 16, 6 << 20 if long else 1 << 20)]
            cut_at = CHANCE.randrange(len(piece)) if CHANCE.random() < CUT_SHARE else None
            headers = tus + [("Content-Type", "application/offset+octet-stream"), ("Upload-Offset", offset)]
            try:
                status, told, _ = await ask(self.port, "PATCH", path, token, headers, piece, slow=True, cut_at=cut_at)
                if status == 204:
                    offset = int(told["upload-offset"])
                    continue
                self.conflicts += status == 409
                self.refused += status >= 500
                if status not in (400, 408, 409, 500, 502, 503, 507, 429):
                    return self.faults.append(f"upload {number}: PATCH answered {status}")
            except Cut:
                self.cuts += 1
            status, told, _ = await self.until_answered("HEAD", path, token, tus)
            if status != 200:
                return self.faults.append(f"upload {number}: HEAD answered {status}")
            offset = int(told["upload-offset"])
        status, _, answer = await self.until_answered("GET", path, token)
        if status != 200 or hashlib.sha256(answer).digest() != hashlib.sha256(whole).digest():
            self.faults.append(f"upload {number} is not whole: {status}, {len(answer)} of {size} bytes")
        elif number % OF_ONE == 0:
            await self.hand_in(token, number, path.rsplit("/", 1)[-1], whole)

    async def hand_in(self, token, number, upload, whole):
        """A take with this upload as its video. What was answered and got lost is asked again, and must change nothing."""
        json_type = [("Content-Type", "application/json")]
        _, _, answer = await self.until_answered("GET", "/api/v1/assignments", token)
        goal = json.loads(answer)["items"][0]["id"]
        for verb in ("claim", "start"):
            status, _, answer = await self.until_answered("POST", f"/api/v1/assignments/{goal}/{verb}", token)
            if status != 200:
                return self.faults.append(f"goal of upload {number}: {verb} answered {status} {answer[:200]}")
        file = {"bytes": len(whole), "sha256": hashlib.sha256(whole).hexdigest()}
        manifest = {**json.loads(MANIFEST.read_text()), "assignment_id": None, "files": {"video.mp4": file}}
        body = {"id": str(uuid.uuid4()), "assignment_id": goal, "manifest": manifest, "uploads": [{"track": "video", "upload_id": upload, **file}]}
        for _ in range(2):
            status, _, answer = await self.until_answered("POST", "/api/v1/submissions", token, json_type, json.dumps(body).encode())
            if status not in (200, 201):
                return self.faults.append(f"upload {number} was not taken as a recording: {status} {answer[:300]}")

    async def machine(self, number, jobs):
        token, json_type = os.environ["COLLECTOR_TOKEN"], [("Content-Type", "application/json")]
        began = time.monotonic()
        while len(self.done) < jobs and time.monotonic() - began < 300:
            claim = {"worker": f"m{number}", "kinds": ["export"], "max": 2, "wait_s": 2}
            try:
                status, _, answer = await ask(self.port, "POST", "/api/v1/jobs/claim", token, json_type, json.dumps(claim).encode())
            except Cut:
                continue
            if status != 200:
                await asyncio.sleep(0.2)
                continue
            for job in json.loads(answer):
                await asyncio.sleep(CHANCE.uniform(0, 0.4))
                complete = {"lease_token": job["lease_token"], "artifacts": [], "fingerprints": None,
                            "result": {"quality": None, "duration_secs": None, "steps": None, "words": None, "examples": None}}
                status, _, told = await self.until_answered(
                    "POST", f"/api/v1/jobs/{job['job_id']}/complete", token, json_type, json.dumps(complete).encode())
                if status == 200:
                    self.done.setdefault(job["job_id"], set()).add(job["lease_token"])
                elif status != 409:
                    self.faults.append(f"job {job['job_id']}: complete answered {status} {told[:200]}")


async def trouble(replicas, over):
    killed = 0
    while not over.is_set():
        await asyncio.sleep(CHANCE.uniform(0.5, 2.0))
        replica = CHANCE.choice(replicas)
        await replica.kill(signal.SIGKILL if CHANCE.random() < 0.7 else signal.SIGTERM)
        killed += 1
        await asyncio.sleep(CHANCE.uniform(0.1, 0.6))
        await replica.start()
    return killed


async def main(server, state, uploaders, jobs):
    replicas = [Replica(server, state, number) for number in range(REPLICAS)]
    # At once, as after a deployment: one of them brings the tables up to date.
    await asyncio.gather(*(replica.start() for replica in replicas))
    balancer = Balancer(replicas)
    await balancer.start()
    run, over = Run(balancer.port, state), asyncio.Event()
    invites = (state / "invites").read_text().split()
    tokens = await asyncio.gather(*(run.worker(invite, number) for number, invite in enumerate(invites)))
    began = time.monotonic()
    troubled = asyncio.create_task(trouble(replicas, over))
    work = [run.upload(tokens[number // OF_ONE], number) for number in range(uploaders)]
    work += [run.machine(number, jobs) for number in range(8)]
    await asyncio.gather(*work)
    over.set()
    killed = await troubled
    twice = [job for job, tokens in run.done.items() if len(tokens) > 1]
    run.faults += [f"job {job} was done twice" for job in twice]
    if len(run.done) != jobs:
        run.faults.append(f"{len(run.done)} of {jobs} jobs were done")
    print(f"{uploaders} uploads and {jobs} jobs in {time.monotonic() - began:.0f} s; replicas ended {killed} times, "
          f"{run.cuts} connections broke, {run.conflicts} conflicts, {run.refused} answers to try again")
    await asyncio.gather(*(replica.kill(signal.SIGTERM) for replica in replicas))
    for fault in run.faults:
        print(fault, file=sys.stderr)
    return 1 if run.faults else 0


def objects(bucket, prefix):
    found, after = 0, ""
    while True:
        text = urllib.request.urlopen(f"{bucket}?list-type=2&prefix={prefix}&start-after={after}").read().decode()
        keys = [part.split("</Key>")[0] for part in text.split("<Key>")[1:]]
        found += len(keys)
        if "<IsTruncated>true" not in text:
            return found
        after = keys[-1]


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] == "--objects":
        print(objects(sys.argv[2], sys.argv[3]))
    elif len(sys.argv) == 5:
        sys.exit(asyncio.run(main(sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))))
    else:
        sys.exit(__doc__)
