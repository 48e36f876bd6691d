#!/usr/bin/env python3
"""What an admin's program asks the server: where a submission stands, its results, and the decision on it.

  road.py wait SERVER SUBMISSION SECONDS        until it can be reviewed; tells each stage; 1 if it was sent back or failed
  road.py fetch SERVER SUBMISSION DIR           what the pipeline made of it
  road.py accept SERVER SUBMISSION RATING       accepts it and prints what that pays
  road.py retry SERVER                          queues its dead jobs again; 1 if there is none
  road.py show SERVER PATH                      any answer as JSON

The admin's token is read from COLLECTOR_TOKEN.
"""
import json
import os
import pathlib
import sys
import time
import urllib.error
import urllib.request

OVER = ("sent_back", "failed", "quarantined", "withdrawn", "redo", "rejected")


def call(server, path, body=None):
    request = urllib.request.Request(server + path, method="GET" if body is None else "POST")
    request.add_header("Authorization", "Bearer " + os.environ["COLLECTOR_TOKEN"])
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
            return json.loads(text) if text else None
    except urllib.error.HTTPError as error:
        sys.exit(f"{path}: {error.code} {error.read().decode(errors='replace')}")


def take(server, submission):
    return call(server, f"/api/v1/admin/submissions/{submission}")


def wait(server, submission, seconds):
    began, stage = time.monotonic(), None
    while time.monotonic() - began < float(seconds):
        try:
            found = take(server, submission)
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
            continue
        if found["stage"] != stage:
            stage = found["stage"]
            print(f"  {time.monotonic() - began:5.1f} s  {stage}", flush=True)
        if stage in ("ready", "in_review", "accepted"):
            return
        if stage in OVER:
            for line in found["history"]:
                print(f"  {line['who']}: {line['what']}", file=sys.stderr)
            sys.exit(1)
        time.sleep(0.25)
    sys.exit(f"After {seconds} s the submission is still {stage}.")


def fetch(server, submission, folder):
    for name, url in take(server, submission)["artifacts"].items():
        path = pathlib.Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with urllib.request.urlopen(server + url, timeout=60) as answer:
            path.write_bytes(answer.read())


def accept(server, submission, rating):
    checklist = {"plays": True, "narration": True, "realistic": True, "worth_pay": True}
    decision = {"rating": int(rating), "checklist": checklist, "reason": None, "note": "Clear voice, good reasons. Thank you.",
                "marks": [], "version": take(server, submission)["version"]}
    payout = call(server, f"/api/v1/admin/submissions/{submission}/review", decision)["payout"]
    amount = payout["amount"]
    print(f"  accepted with {rating} of 5; {amount['amount_cents'] / 100:.2f} {amount['currency']} {payout['stage']}")


def retry(server):
    dead = [job for job in call(server, "/api/v1/admin/jobs")["items"] if job["stage"] == "dead"]
    if not dead:
        sys.exit("No job is dead.")
    for job in dead:
        call(server, f"/api/v1/admin/jobs/{job['id']}/retry", {})


def show(server, path):
    print(json.dumps(call(server, path)))


if __name__ == "__main__":
    commands = {"wait": wait, "fetch": fetch, "accept": accept, "retry": retry, "show": show}
    if len(sys.argv) < 3 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    commands[sys.argv[1]](*sys.argv[2:])
