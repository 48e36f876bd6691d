"""The S3 server of the tests: moto, made to say when uploads in parts were begun. By itself it says 2010 of each, and a server
that sweeps away what is old ends them under its own feet. An upload begins when it is listed first."""
import datetime
import sys

from moto.s3 import responses
from moto.server import main

began, plain = {}, responses.ActionResult


def dated(result):
    for upload in result.get("Uploads", []):
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        upload["Initiated"] = began.setdefault(upload["UploadId"], now)
    return plain(result)


responses.ActionResult = dated
sys.exit(main())
