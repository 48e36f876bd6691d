#!/usr/bin/env python3
"""A slow line to a server: passes connections on at so many bytes a second from the client.

  slow_proxy.py PORT_FILE SERVER_PORT BYTES_PER_SECOND

Writes the port it listens on to PORT_FILE. While the server is down its connections end at once.
"""
import pathlib
import socket
import sys
import threading
import time

PIECE = 8192


def pass_on(source, sink, rate):
    try:
        while data := source.recv(PIECE):
            sink.sendall(data)
            if rate:
                time.sleep(len(data) / rate)
    except OSError:
        pass
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def serve(client, port, rate):
    try:
        server = socket.create_connection(("127.0.0.1", port), timeout=10)
    except OSError:
        client.close()
        return
    server.settimeout(None)
    threading.Thread(target=pass_on, args=(server, client, 0), daemon=True).start()
    pass_on(client, server, rate)


def main():
    listener = socket.create_server(("127.0.0.1", 0))
    pathlib.Path(sys.argv[1]).write_text(str(listener.getsockname()[1]))
    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(client, int(sys.argv[2]), int(sys.argv[3])), daemon=True).start()


if __name__ == "__main__":
    main()
