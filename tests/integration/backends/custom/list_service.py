"""A small real HTTP service with lists, over TLS."""

import hashlib
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

TOKEN = "a-token-of-the-tests"


class Lists:
    """What the service keeps."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.content: dict[str, Any] = {}
        self.lies = False
        """Answers a change with success and does not make it."""

    def version(self, name: str) -> str:
        return '"' + hashlib.sha256(json.dumps(self.content[name]).encode()).hexdigest()[:16] + '"'


@contextmanager
def running(lists: Lists, context: ssl.SSLContext) -> Iterator[int]:
    """Serves the lists on a port of 127.0.0.1."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        kept: ClassVar[Lists] = lists

        def do_GET(self) -> None:
            self._handle(None)

        def do_PUT(self) -> None:
            self._handle(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def log_message(self, *_: Any) -> None:
            pass

        def _handle(self, body: Any) -> None:
            name = self.path.rpartition("/")[2].replace("%2B", "+")
            with self.kept.lock:
                if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                    return self._answer(401, {})
                if name not in self.kept.content:
                    return self._answer(404, {})
                if body is not None:
                    if self.headers.get("If-Match") != self.kept.version(name):
                        return self._answer(412, {})
                    if not self.kept.lies:
                        self.kept.content[name] = body
                return self._answer(200, self.kept.content[name], self.kept.version(name))

        def _answer(self, status: int, body: Any, version: str = "") -> None:
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            if version:
                self.send_header("ETag", version)
            self.end_headers()
            self.wfile.write(text)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
