#!/usr/bin/python3
"""Stands in for a hosted model on this computer, to see what `--provider openai` would send before anything is sent.

  demo/model_server.py --keep DIR [--port N]

Speaks as much of OpenAI's protocol as the pipeline uses and knows nothing: each Step is answered with nulls and a sentence that
says so, each sound with silence, so that the local words stay. Every request lies in DIR afterwards: NNN.json with its texts,
its pictures beside it as NNN-1.jpg and so on, its sound as NNN.wav. Ctrl-C ends it. Standard library only.
"""
import argparse
import base64
import email.parser
import email.policy
import http.server
import json
import pathlib
import sys

MOST_BYTES = 64 << 20
JPEG = "data:image/jpeg;base64,"


class Kept:
    """A folder of requests, numbered as they came."""

    def __init__(self, folder):
        self.folder, self.count = folder, 0
        folder.mkdir(parents=True, exist_ok=True)

    def chat(self, asked):
        self.count += 1
        pictures = 0
        for message in asked["messages"]:
            for part in message["content"] if isinstance(message["content"], list) else []:
                url = part.get("image_url", {}).get("url", "")
                if url.startswith(JPEG):
                    pictures += 1
                    name = f"{self.count:03}-{pictures}.jpg"
                    (self.folder / name).write_bytes(base64.b64decode(url[len(JPEG):]))
                    part["image_url"]["url"] = name
        (self.folder / f"{self.count:03}.json").write_text(json.dumps(asked, indent=1, ensure_ascii=False) + "\n")
        return f"a question with {pictures} pictures"

    def sound(self, kind, body):
        self.count += 1
        form = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
        parts = {part.get_param("name", header="content-disposition"): part.get_payload(decode=True) for part in form.iter_parts()}
        (self.folder / f"{self.count:03}.wav").write_bytes(parts.get("file", b""))
        return f"a sound of {len(parts.get('file', b''))} bytes"


def knows_nothing(asked):
    """An answer of the form that the pipeline asks for."""
    told = json.loads(asked["messages"][1]["content"][0]["text"])
    fields = ("target_text", "target_role", "typed_text", "intent")
    steps = [{"index": step["index"], **dict.fromkeys(fields), "rationale": "Nobody was asked: this is a stand-in."} for step in told["steps"]]
    message = {"role": "assistant", "content": json.dumps({"steps": steps})}
    return {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": {"prompt_tokens": 0, "completion_tokens": 0}}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        length = int(self.headers.get("Content-Length") or 0)
        if length > MOST_BYTES:
            return self.answer(413, {"error": {"message": f"more than {MOST_BYTES} bytes"}})
        body, kept = self.rfile.read(length), self.server.kept
        try:
            if self.path.endswith("/chat/completions"):
                asked = json.loads(body)
                said = knows_nothing(asked)
                what = kept.chat(asked)
            elif self.path.endswith("/audio/transcriptions"):
                said, what = {"text": "", "words": [], "segments": []}, kept.sound(self.headers.get("Content-Type", ""), body)
            else:
                return self.answer(404, {"error": {"message": f"nothing is at {self.path}"}})
        except (ValueError, KeyError, IndexError, TypeError) as error:
            return self.answer(400, {"error": {"message": f"this is not what the pipeline sends: {error!r}"}})
        print(f"{kept.count:03}  {what}", flush=True)
        return self.answer(200, said)

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser(description="Stands in for a hosted model and keeps what it is sent.")
    parser.add_argument("--keep", required=True, type=pathlib.Path, help="folder for what arrives")
    parser.add_argument("--port", type=int, default=0, help="a free one by default")
    args = parser.parse_args()
    server = http.server.HTTPServer(("127.0.0.1", args.port), Handler)
    server.kept = Kept(args.keep)
    print(f"OPENAI_BASE_URL=http://127.0.0.1:{server.server_address[1]}/v1", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print(f"{server.kept.count} requests lie in {args.keep}.")


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(f"The stand-in cannot run: {error}. Give another --port, or a --keep folder that can be written.")
