"""A web server over TLS that gives the files of a folder, or does what a bad one does."""

from __future__ import annotations

import http.server
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from havre.adapters.channel.certificates import make_identity


@dataclass
class Web:
    """A running server.

    answer: gives a path's status and body; may be exchanged while it runs.
    drip_s: so many seconds between two bytes of every body.
    """

    folder: Path
    certificate: Path
    url: str = ""
    drip_s: float = 0.0
    asked: list[str] = field(default_factory=list)
    answer: Callable[[str], tuple[int, bytes]] | None = None

    def file(self, path: str) -> tuple[int, bytes]:
        found = self.folder / path
        return (200, found.read_bytes()) if found.is_file() else (404, b"no such file")


@contextmanager
def web(folder: Path, beside: Path, *, name: str = "web") -> Iterator[Web]:
    """Serve a folder on the loopback address until the context ends.

    beside: where the server's certificate is made.
    """
    identity = beside / f"{name}.pem"
    made = make_identity(
        identity, name=name, begins_at=datetime.now(UTC).replace(microsecond=0), days=2
    )
    certificate = beside / f"{name}-certificate.pem"
    certificate.write_text(made.pem)
    state = Web(folder, certificate)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.removeprefix("/log/")
            state.asked.append(path)
            status, body = (state.answer or state.file)(path)
            self.send_response(status)
            if status in (301, 302):
                self.send_header("location", body.decode())
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            for byte in [body[at : at + 1] for at in range(len(body))] if state.drip_s else [body]:
                self.wfile.write(byte)
                time.sleep(state.drip_s)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """Callers that go away in the middle are what some tests are about."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity)
    with Server(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        state.url = f"https://127.0.0.1:{server.server_port}/log"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()
