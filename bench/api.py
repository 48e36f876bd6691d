#!/usr/bin/env python3
"""Fills a database with submissions, and asks a server for its lists at a steady pace.

  api.py fill SUBMISSIONS        prints SQL that both databases take
  api.py sqlite FILE SQL         runs it on SQLite
  api.py ask SERVER SECONDS SUBMISSIONS PID...      tokens are read from COLLECTOR_ADMIN and COLLECTOR_TOKEN

Prints per page its times at that pace, and the CPU time that the server and its database (PID... and their children)
take for one answer when each page is asked alone: a busy machine moves the first and hardly the second.
"""
import hashlib
import http.client
import json
import os
import pathlib
import queue
import random
import sqlite3
import sys
import threading
import time
import urllib.parse

RATE = 50
BAR_MS = 50
# Two days ago: what is older than its retention would be removed while it is measured.
START = int(time.time() - 2 * 86_400) * 1000
ALONE = 40
WORKER_TOKEN = "csw_bench"
STAGES = ["accepted"] * 80 + ["rejected"] * 6 + ["redo"] * 6 + ["sent_back"] * 6 + ["ready", "analysing"]
FLAGS = ["low_snr", "idle", "little_speech", "music"]


def ident(kind, number):
    """An id that rises with its number, as the server's do."""
    return f"01900000-{kind:04x}-7000-8000-{number:012x}"


def statements(table, columns, rows):
    page = []
    for row in rows:
        page.append("(" + ", ".join("null" if value is None else str(value) if isinstance(value, (int, float)) else "'" + value + "'" for value in row) + ")")
        if len(page) == 500:
            print(f"insert into {table} ({columns}) values {', '.join(page)};")
            page = []
    if page:
        print(f"insert into {table} ({columns}) values {', '.join(page)};")


def fill(count):
    chance = random.Random(7)
    workers, scenarios = max(1, count // 50), 50
    print("begin;")
    campaign, tier = ident(1, 1), ident(2, 1)
    statements("campaign", "id, name, description, currency, created_at", [(campaign, "Bench", "x", "USD", START)])
    statements("tier", "id, campaign_id, name, position, price_cents, scenario_count, hours, level, policy",
               [(tier, campaign, "Basic", 1, 500, 1, 24, "basic", "{}")])
    statements("scenario", "id, campaign_id, position, goal, constraints, tiers",
               ((ident(3, n), campaign, n, f"Buy the pair of shoes number {n}", "[]", "[]") for n in range(scenarios)))
    statements("worker", "id, alias, name, fiverr_user, stage, created_at",
               ((ident(4, n), f"w-{n}", f"Worker {n}", f"user{n}", "active", START + n) for n in range(workers)))
    statements("consent", "id, worker_id, version, language, accepted_at, received_at",
               ((ident(14, n), ident(4, n), "1", "en", START, START + n) for n in range(workers)))
    statements("token", "id, secret_sha256, role, name, worker_id, device_id, created_at, revoked_at",
               [(ident(9, 0), hashlib.sha256(WORKER_TOKEN.encode()).hexdigest(), "worker", "bench", ident(4, 0), None, START, None)])
    stages = [chance.choice(STAGES) for _ in range(count)]
    statements("assignment", "id, campaign_id, tier_id, scenario_id, worker_id, stage, pay_cents, problem, expires_at, created_at, updated_at",
               ((ident(5, n), campaign, tier, ident(3, n // workers), ident(4, n % workers), "submitted", 500, None, None, START, START) for n in range(count)))
    flags = lambda: json.dumps([chance.choice(FLAGS)]) if chance.random() < 0.2 else "[]"
    statements("submission", "id, assignment_id, worker_id, campaign_id, attempt, stage, version, receipt_id, request_sha256, manifest, report, verdict, flags, duration_secs, duplicate_of, rating, received_at, updated_at",
               ((ident(6, n), ident(5, n), ident(4, n % workers), campaign, 1, stages[n], 1, ident(7, n), "0" * 64, "{}" + " " * 500, None, "accept", flags(), 600.5, None, 4 if stages[n] == "accepted" else None, START + n * 1000, START) for n in range(count)))
    statements("job", "id, kind, submission_id, campaign_id, input_digest, stage, run_at, attempt, max_attempts, created_at, updated_at",
               ((ident(8, n), "inspect", ident(6, n), campaign, "0" * 64, "done", START, 1, 5, START, START) for n in range(count)))
    statements("history", "id, submission_id, at, who, what",
               ((ident(10, n), ident(6, n), START + n * 1000, "worker", "The recording was handed in.") for n in range(count)))
    accepted = [n for n in range(count) if stages[n] == "accepted"]
    statements("review", "id, submission_id, reviewer, rating, checklist, reason, note, marks, created_at",
               ((ident(11, n), ident(6, n), "anna", 4, "{}", None, None, "[]", START + n) for n in accepted))
    statements("ledger", "id, kind, worker_id, campaign_id, assignment_id, submission_id, amount_cents, currency, idempotency_key, reverses_id, created_at",
               ((ident(12, n), "earning", ident(4, n % workers), campaign, ident(5, n), ident(6, n), 500, "USD", str(n), None, START) for n in accepted))
    statements("payout", "id, ledger_id, worker_id, assignment_id, submission_id, stage, amount_cents, currency, created_at, updated_at",
               ((ident(13, n), ident(12, n), ident(4, n % workers), ident(5, n), ident(6, n), "accrued", 500, "USD", START, START) for n in accepted))
    statements("artifact", "submission_id, name, job_id, bytes, sha256, object_key",
               ((ident(6, n), "playback.mp4", ident(8, n), 1000, "0" * 64, f"jobs/{ident(8, n)}/1/playback.mp4") for n in range(count)))
    statements("erasure", "id, worker_id, asked_at, due_at, takes, bytes, done_at",
               ((ident(15, n), ident(4, n), START, START, 3, 1000, START + n) for n in range(0, workers, 20)))
    # Behind the entries that the server makes meanwhile.
    statements("audit", "seq, at, who, act, subject, what, request_id, before_sha256, sha256",
               ((1000 + n, START + n * 1000, "anna", "review_decided", f"submission {ident(6, n)}", "accepted", None, "0" * 64, "0" * 64) for n in range(count)))
    print("commit;")


def pages(count):
    """Name and address of each page; the late ones begin where half of the list is behind."""
    admin, half = "/api/v1/admin", count // 2
    campaign = ident(1, 1)
    cursor = f"{START + half * 1000}.{ident(6, half)}"
    asked = {
        "queue": f"{admin}/submissions?stage=ready",
        "queue, late": f"{admin}/submissions?stage=accepted&cursor={cursor}",
        "all": f"{admin}/submissions",
        "all, late": f"{admin}/submissions?cursor={cursor}",
        "campaign": f"{admin}/submissions?campaign={campaign}&cursor={cursor}",
        "campaign and stage": f"{admin}/submissions?campaign={campaign}&stage=ready",
        "worker": f"{admin}/submissions?worker=w-1",
        "flag": f"{admin}/submissions?flag=low_snr",
        "take": f"{admin}/submissions/{ident(6, count // 3)}",
        "workers": f"{admin}/workers?cursor={ident(4, count // 100)}",
        "jobs": f"{admin}/jobs?cursor={ident(8, half)}",
        "payouts": f"{admin}/payouts?cursor={ident(13, half)}",
        "invites": f"{admin}/invites",
        "tokens": f"{admin}/tokens",
        "campaigns": f"{admin}/campaigns",
        "scenarios": f"{admin}/scenarios",
        "tiers": f"{admin}/tiers",
        "erasures": f"{admin}/erasures",
        "audit log": f"{admin}/audit",
        "audit log, late": f"{admin}/audit?cursor={half}",
        "overview": f"{admin}/stats",
        "export": f"/api/v1/exports/{campaign}/submissions?cursor={ident(6, half)}",
        "me": "/api/v1/me",
        "assignments": "/api/v1/assignments",
    }
    token = lambda path: os.environ["COLLECTOR_ADMIN"] if path.startswith(admin) else \
        os.environ["COLLECTOR_TOKEN"] if "exports" in path else WORKER_TOKEN
    return [(name, path, token(path)) for name, path in asked.items()]


def cpu_secs(pids):
    """Of the processes and their children that live now."""
    total = 0
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, fields = int(stat.parent.name), stat.read_text().rsplit(")", 1)[1].split()
            if pid in pids or int(fields[1]) in pids:
                total += sum(int((task / "schedstat").read_text().split()[0]) for task in (stat.parent / "task").iterdir())
        except OSError:
            continue
    return total / 1e9


def alone(host, known, pids):
    """CPU milliseconds of one answer, for each page."""
    connection, cost = http.client.HTTPConnection(host, timeout=60), {}
    for name, path, token in known:
        for turn in range(ALONE + 2):
            if turn == 2:
                began = cpu_secs(pids)
            connection.request("GET", path, headers={"Authorization": "Bearer " + token})
            connection.getresponse().read()
        cost[name] = (cpu_secs(pids) - began) * 1000 / ALONE
    return cost


def ask(server, secs, count, pids):
    host = urllib.parse.urlparse(server).netloc
    asked, took, faults = queue.Queue(), {}, []
    lock = threading.Lock()

    def client():
        connection = http.client.HTTPConnection(host, timeout=30)
        while (found := asked.get()) is not None:
            due, name, path, token = found
            connection.request("GET", path, headers={"Authorization": "Bearer " + token})
            answer = connection.getresponse()
            body = answer.read()
            with lock:
                # From when it was due, so that a queue before the server counts.
                took.setdefault(name, []).append((time.monotonic() - due) * 1000)
                if answer.status != 200:
                    faults.append(f"{name}: {answer.status} {body[:120]}")

    threads = [threading.Thread(target=client, daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    known, chance, began = pages(count), random.Random(3), time.monotonic()
    for number in range(secs * RATE):
        due = began + number / RATE
        time.sleep(max(0, due - time.monotonic()))
        page = known[number] if number < len(known) else chance.choice(known)
        asked.put((due, *page))
    for _ in threads:
        asked.put(None)
    for thread in threads:
        thread.join()
    # What the way there and back takes, the client's share with it.
    # Nobody scrapes numbers fifty times a second.
    besides = [("nothing (healthz)", "/healthz", ""), ("numbers (metrics)", "/metrics", os.environ["COLLECTOR_ADMIN"])]
    cost = alone(host, besides + known, pids)
    print(f"  {'page':22} {'asked':>6} {'median ms':>10} {'p99 ms':>8} {'CPU ms':>7}")
    for name, times in list(took.items()) + [("all together", sum(took.values(), []))]:
        times.sort()
        cpu = cost.get(name, sum(cost[page] * len(took[page]) for page in took) / len(times))
        print(f"  {name:22} {len(times):6} {times[len(times) // 2]:10.1f} {times[min(len(times) - 1, int(len(times) * 0.99))]:8.1f} {cpu:7.2f}")
    for name, *_ in besides:
        print(f"  {name:22} {'':6} {'':10} {'':8} {cost[name]:7.2f}")
    for fault in faults[:5]:
        print(fault, file=sys.stderr)
    whole = sorted(sum(took.values(), []))
    p99 = whole[int(len(whole) * 0.99)]
    if p99 > BAR_MS:
        print(f"p99 is {p99:.1f} ms, over the {BAR_MS} ms that are the bar", file=sys.stderr)
    return 1 if faults or p99 > BAR_MS else 0


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "fill":
        fill(int(sys.argv[2]))
    elif len(sys.argv) == 4 and sys.argv[1] == "sqlite":
        base = sqlite3.connect(sys.argv[2])
        base.execute("pragma synchronous = off")
        base.executescript(open(sys.argv[3]).read())
    elif len(sys.argv) >= 6 and sys.argv[1] == "ask":
        sys.exit(ask(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), {int(pid) for pid in sys.argv[5:]}))
    else:
        sys.exit(__doc__)
