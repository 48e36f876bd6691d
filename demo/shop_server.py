#!/usr/bin/env python3
"""The demo's shop on loopback: static files, one document for every page, and the layout the page reports.

  shop_server.py [--port N]      serves until Ctrl-C and prints its address

The driver imports Shop and asks it where things lie on the screen. Standard library only.
"""
import argparse
import http.server
import json
import pathlib
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent / "shop"
TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript"}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        name = self.path.split("?")[0].lstrip("/")
        file = self.server.root / (name if name in self.server.files else "index.html")
        self.answer(200, file.read_bytes(), TYPES[file.suffix])

    def do_POST(self):
        body = self.rfile.read(min(int(self.headers.get("Content-Length", 0)), 1 << 20))
        if self.path == "/_layout":
            self.server.report(json.loads(body))
            self.answer(204)
        else:
            self.answer(404)

    def answer(self, status, body=b"", kind="text/plain"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Shop(http.server.ThreadingHTTPServer):
    """The server and the newest layout; `wait` blocks until a layout has come that pleases the caller."""

    daemon_threads = True

    def __init__(self, port=0, root=ROOT):
        super().__init__(("127.0.0.1", port), Handler)
        self.root, self.files = root, {path.name for path in root.iterdir()}
        self.changed = threading.Condition()
        self.layout, self.count = None, 0
        self.address = f"localhost:{self.server_address[1]}"

    def start(self):
        threading.Thread(target=self.serve_forever, name="shop", daemon=True).start()
        return self

    def report(self, layout):
        with self.changed:
            self.layout, self.count = layout, self.count + 1
            self.changed.notify_all()

    def wait(self, pleases, what, seconds=15):
        deadline = time.monotonic() + seconds
        with self.changed:
            while not (self.layout and pleases(self.layout)):
                if not self.changed.wait(max(0, deadline - time.monotonic())) and time.monotonic() >= deadline:
                    raise TimeoutError(f"the shop's page did not show {what} within {seconds} s")
            return self.layout


def main():
    parser = argparse.ArgumentParser(description="Serves the demo's shop on loopback.")
    parser.add_argument("--port", type=int, default=0, help="0 (default) takes a free one")
    shop = Shop(parser.parse_args().port)
    print(f"http://{shop.address}/", flush=True)
    try:
        shop.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
