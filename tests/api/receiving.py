"""A real HTTP server that webhooks can be sent to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import standardwebhooks


class Receiver(ThreadingHTTPServer):
    """Keeps what it is sent. ``answers`` are given in turn, the last one for ever."""

    daemon_threads = True

    def __init__(self, answers: list[int]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = answers
        self.received: list[tuple[dict[str, str], bytes]] = []

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}/hooks?shop=kiln"

    def verified(self, secret: str) -> list[dict[str, object]]:
        """What came in, checked by the reference library."""
        return [standardwebhooks.Webhook(secret).verify(body, headers) for headers, body in self.received]


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
        status = self.server.answers.pop(0) if len(self.server.answers) > 1 else self.server.answers[0]
        self.send_response(status)
        if status in {301, 302}:
            self.send_header("Location", self.server.url)
        self.end_headers()
        self.wfile.write(b"thanks\x00" if status < 300 else b"not now")

    def log_message(self, *arguments: object) -> None:
        """The test's output stays its own."""


@contextmanager
def receiver(*answers: int) -> Iterator[Receiver]:
    """A receiver on a free port; it ends with the block."""
    server = Receiver(list(answers) or [200])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
