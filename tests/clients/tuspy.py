#!/usr/bin/env python3
"""tuspy against a running server. Run by tests/clients.sh, which sets SERVER_URL, WORKER_TOKENS and the path."""
import hashlib
import io
import os
import sys
import traceback
import urllib.request

from tusclient import client as tus
from tusclient.exceptions import TusCommunicationError

SERVER, TOKEN = os.environ["SERVER_URL"], os.environ["WORKER_TOKENS"].split()[-1]
ALL = "--all" in sys.argv
MIB = 1 << 20
AUTH = {"Authorization": f"Bearer {TOKEN}"}


def video(size):
    return b"\0\0\0\x20ftypisom" + os.urandom(size - 12)


def client():
    return tus.TusClient(f"{SERVER}/api/v1/uploads", headers=AUTH)


def arrived(uploader, whole):
    request = urllib.request.Request(uploader.url, headers=AUTH)
    with urllib.request.urlopen(request, timeout=30) as answer:
        got = answer.read()
    assert hashlib.sha256(got).digest() == hashlib.sha256(whole).digest(), "the bytes on the server"


def send(whole, **options):
    uploader = client().uploader(file_stream=io.BytesIO(whole), **{"chunk_size": MIB, **options})
    uploader.upload()
    arrived(uploader, whole)
    return uploader


def a_name_beyond_ascii():
    uploader = send(video(3 * MIB), metadata={"filename": "größe ☃.mp4"})
    request = urllib.request.Request(uploader.url, method="HEAD", headers={**AUTH, "Tus-Resumable": "1.0.0"})
    with urllib.request.urlopen(request, timeout=30) as told:
        assert told.headers["Upload-Metadata"].startswith("filename "), told.headers


def no_metadata():
    send(video(MIB + 3))


def checked_by_sha1():
    send(video(3 * MIB), upload_checksum=True)


def one_byte_at_the_end():
    send(video(2 * MIB + 1), upload_checksum=True)


def stopped_and_resumed():
    whole = video(4 * MIB)
    for stop_at in (MIB, 2 * MIB, 3 * MIB) if ALL else (2 * MIB,):
        first = client().uploader(file_stream=io.BytesIO(whole), chunk_size=MIB)
        first.upload(stop_at=stop_at)
        second = client().uploader(file_stream=io.BytesIO(whole), chunk_size=700_001, url=first.url)
        assert second.offset == stop_at, second.offset
        second.upload()
        arrived(second, whole)


def an_older_writer_is_told():
    """Two that began at the same offset: the second to come gets 409, and the bytes of the first stay."""
    whole = video(3 * MIB)
    first = client().uploader(file_stream=io.BytesIO(whole), chunk_size=MIB)
    first.upload_chunk()
    second = client().uploader(file_stream=io.BytesIO(whole), chunk_size=MIB, url=first.url)
    first.upload_chunk()
    try:
        second.upload_chunk()
    except TusCommunicationError as error:
        assert error.status_code == 409, error.status_code
    else:
        raise AssertionError("a piece at a past offset was taken")
    first.upload()
    arrived(first, whole)


def a_stranger_is_refused():
    other = tus.TusClient(f"{SERVER}/api/v1/uploads", headers={"Authorization": "Bearer csw_nobody"})
    try:
        other.uploader(file_stream=io.BytesIO(video(100)), chunk_size=MIB).upload()
    except TusCommunicationError as error:
        assert error.status_code == 401, error.status_code
    else:
        raise AssertionError("a stranger was let in")


def main():
    failed = 0
    checks = [a_name_beyond_ascii, no_metadata, checked_by_sha1, one_byte_at_the_end, stopped_and_resumed,
              an_older_writer_is_told, a_stranger_is_refused]
    for check in checks:
        name = check.__name__.replace("_", " ")
        try:
            check()
            print(f"tuspy: {name}: ok")
        except Exception:
            failed += 1
            print(f"tuspy: {name}: FAILED: {traceback.format_exc()}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
