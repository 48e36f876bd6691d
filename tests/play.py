#!/usr/bin/env python3
"""Plays a recording to its end in a headless Chromium, as a reviewer's browser would.

  play.py FILE

Serves the file with ranges on a free port of this machine, lets the page play it at four times its pace and jump back
into its middle once. Prints what the browser made of it as JSON; ends with 0 if it played to the end with picture and
sound, with 1 if not.
"""
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading

PATIENCE_SECS = 90
PAGE = """<!doctype html><video id=v muted></video><script>
const tell = (error) => fetch('/told', {method: 'POST', body: JSON.stringify({
  error, at: v.currentTime, duration: v.duration, jumped,
  pictures: v.getVideoPlaybackQuality().totalVideoFrames, sound: v.webkitAudioDecodedByteCount})});
let jumped = false;
v.onerror = () => tell(v.error.message || 'error ' + v.error.code);
v.onended = () => {
  if (jumped) return tell(null);
  jumped = true;
  v.currentTime = v.duration / 2;
  v.play();
};
v.playbackRate = 4;
v.src = '/video.mp4';
v.play().catch((error) => tell(String(error)));
</script>"""


class Files(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path != "/video.mp4":
            self.answer(200, "text/html", PAGE.encode(), {})
            return
        with open(self.server.path, "rb") as file:
            data = file.read()
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("range", ""))
        if not asked:
            self.answer(200, "video/mp4", data, {"accept-ranges": "bytes"})
            return
        first, last = int(asked[1]), min(int(asked[2] or len(data) - 1), len(data) - 1)
        told = {"accept-ranges": "bytes", "content-range": f"bytes {first}-{last}/{len(data)}"}
        self.answer(206, "video/mp4", data[first : last + 1], told)

    def do_POST(self):
        self.server.told = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.answer(204, "text/plain", b"", {})
        self.server.done.set()

    def answer(self, status, kind, body, headers):
        self.send_response(status)
        for name, value in {"content-type": kind, "content-length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            self.wfile.write(body)
        except ConnectionError:
            pass  # A browser breaks off what it no longer wants.

    def log_message(self, *_):
        pass


def main():
    if len(sys.argv) != 2 or not os.path.isfile(sys.argv[1]):
        sys.exit("Give one video file: play.py FILE")
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not browser:
        sys.exit("There is no Chromium to play it with. `./dev setup` installs it.")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files)
    server.path, server.told, server.done = sys.argv[1], None, threading.Event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--mute-audio", "--no-first-run",
                   "--autoplay-policy=no-user-gesture-required", f"--user-data-dir={profile}"]
        page = f"http://127.0.0.1:{server.server_port}/"
        process = subprocess.Popen([browser, *options, page], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        server.done.wait(PATIENCE_SECS)
        process.terminate()
        process.wait()
    told = server.told or {"error": f"nothing was told within {PATIENCE_SECS} s"}
    print(json.dumps(told))
    well = not told.get("error") and told["jumped"] and told["pictures"] > 0 and told["sound"] > 0
    sys.exit(0 if well else 1)


if __name__ == "__main__":
    main()
