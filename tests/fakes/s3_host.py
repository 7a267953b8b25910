"""A host that speaks a little S3 over real HTTP, and can be told to behave badly.

Objects in memory, whole bodies only; who asks is not looked at. What a real server
does is tried on one (`fakes.seaweed`); this one does what a real one hardly can be
brought to do.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import formatdate
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from havre.adapters.objects.s3 import AccessKey, Bucket, Patience, S3Objects

PATIENCE = Patience(answer_s=1.0, connect_s=1.0, retries=1, retry_s=2.0)


class Manner(StrEnum):
    """How a host behaves when it is asked for an object."""

    GOOD = "good"
    EMPTY = "answers 200 with an empty body"
    TRUNCATED = "has lost the second half"
    BREAKS_OFF = "promises the whole and breaks off in the middle"
    SLOW = "answers after the time is over"
    FAILS = "answers 500"
    FORBIDS = "refuses the access key"
    FORGETS = "says that there is no such object"
    NO_BUCKET = "says that there is no such bucket"
    NONSENSE = "answers with something that is no S3"


class S3Host:
    """One host; `objects` may be changed by a test as a hostile host would."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self._server = server
        self.objects: dict[str, bytes] = {}
        self.manner = Manner.GOOD
        # Answers that get lost on their way, after the request was carried out.
        self.lost_answers = 0
        self.writes_over = False
        # Of these alone it answers 500.
        self.withheld: set[str] = set()
        self.asked: list[str] = []

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def store(self, copies: Path, *, patience: Patience = PATIENCE) -> S3Objects:
        """A store at this host, not prepared."""
        place = Bucket(self.endpoint, "bucket", "lake", "nowhere")
        return S3Objects(place, key=AccessKey("id", "secret"), copies=copies, patience=patience)

    def path(self, object_id: str) -> str:
        return f"/bucket/lake/objects/{object_id}"


@contextmanager
def running_s3_host() -> Iterator[S3Host]:
    """Serve on a free port for as long as the context lasts."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    host = S3Host(server)
    server.host = host  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield host
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_said: object) -> None:
        """Say nothing."""

    @property
    def host(self) -> S3Host:
        found: S3Host = self.server.host  # type: ignore[attr-defined]
        return found

    def do_HEAD(self) -> None:
        self._read()

    def do_GET(self) -> None:
        self._read()

    def do_PUT(self) -> None:
        body = self._body()
        self.host.asked.append(f"PUT {self.path}")
        if self._misbehaves():
            return
        taken = self.path in self.host.objects and not self.host.writes_over
        if self.headers.get("If-None-Match") == "*" and taken:
            self._answer(412, b"<Error><Code>PreconditionFailed</Code></Error>")
            return
        self.host.objects[self.path] = body
        self._answer_or_lose(200, headers={"ETag": '"1"'})

    def do_DELETE(self) -> None:
        self.host.asked.append(f"DELETE {self.path}")
        if self._misbehaves():
            return
        self.host.objects.pop(self.path, None)
        self._answer_or_lose(204)

    def do_POST(self) -> None:
        """Delete several: the body names them."""
        body = self._body().decode()
        if self._misbehaves():
            return
        keys = [part.split("</Key>")[0] for part in body.split("<Key>")[1:]]
        for key in keys:
            self.host.asked.append(f"DELETE /bucket/{key}")
            self.host.objects.pop(f"/bucket/{key}", None)
        said = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
        self._answer_or_lose(200, f"<DeleteResult>{said}</DeleteResult>".encode())

    def _read(self) -> None:
        self.host.asked.append(f"{self.command} {self.path}")
        if self._misbehaves():
            return
        if "list-type" in self.path:
            self._list()
            return
        body = self.host.objects.get(self.path)
        if body is None:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
            return
        if self.host.manner is Manner.TRUNCATED and "/objects/" in self.path:
            body = body[: len(body) // 2]
        self._send_body(body)

    def _send_body(self, body: bytes) -> None:
        headers = {"ETag": '"1"', "Last-Modified": formatdate(time.time(), usegmt=True)}
        if asked := self.headers.get("Range"):
            first, _, last = asked.removeprefix("bytes=").partition("-")
            part = body[int(first) : int(last) + 1]
            headers["Content-Range"] = f"bytes {first}-{int(first) + len(part) - 1}/{len(body)}"
            self._answer(206, part, headers=headers)
        else:
            self._answer(200, body, headers=headers)

    def _list(self) -> None:
        prefix = "/bucket/" + parse_qs(urlsplit(self.path).query).get("prefix", [""])[0]
        when = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
        found = "".join(
            f"<Contents><Key>{path.removeprefix('/bucket/')}</Key><LastModified>{when}"
            f"</LastModified><ETag>1</ETag><Size>{len(body)}</Size></Contents>"
            for path, body in sorted(self.host.objects.items())
            if path.startswith(prefix)
        )
        self._answer(200, f"<ListBucketResult>{found}</ListBucketResult>".encode())

    def _misbehaves(self) -> bool:
        """Do what this host does instead of an answer; the mark of the store is let through."""
        act = _INSTEAD.get(self.host.manner)
        if self.path in self.host.withheld:
            act = _Handler.fail
        if act is None or ("havre-store" in self.path and self.host.manner is not Manner.NO_BUCKET):
            return False
        act(self)
        return True

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _answer_or_lose(
        self, status: int, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> None:
        if self.host.lost_answers:
            self.host.lost_answers -= 1
            self.close_connection = True
            self.connection.close()
        else:
            self._answer(status, body, headers=headers)

    def _answer(
        self, status: int, body: bytes = b"", *, headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def empty(self) -> None:
        headers = {"ETag": '"1"', "Last-Modified": formatdate(time.time(), usegmt=True)}
        self._answer(200, headers=headers)

    def break_off(self) -> None:
        body = self.host.objects.get(self.path, b"")
        self.send_response(206 if self.headers.get("Range") else 200)
        self.send_header("ETag", '"1"')
        self.send_header("Last-Modified", formatdate(time.time(), usegmt=True))
        self.send_header("Content-Range", f"bytes 0-{len(body) - 1}/{len(body)}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True

    def wait(self) -> None:
        time.sleep(PATIENCE.answer_s * 1.5)
        self._answer(200)

    def fail(self) -> None:
        self._answer(500, b"<Error><Code>InternalError</Code></Error>")

    def forbid(self) -> None:
        self._answer(403, b"<Error><Code>AccessDenied</Code></Error>")

    def forget(self) -> None:
        self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")

    def lose_bucket(self) -> None:
        self._answer(404, b"<Error><Code>NoSuchBucket</Code></Error>")

    def talk_nonsense(self) -> None:
        self._answer(200, b"<html>Welcome</html>")


_INSTEAD: dict[Manner, Callable[[_Handler], None]] = {
    Manner.EMPTY: _Handler.empty,
    Manner.BREAKS_OFF: _Handler.break_off,
    Manner.SLOW: _Handler.wait,
    Manner.FAILS: _Handler.fail,
    Manner.FORBIDS: _Handler.forbid,
    Manner.FORGETS: _Handler.forget,
    Manner.NO_BUCKET: _Handler.lose_bucket,
    Manner.NONSENSE: _Handler.talk_nonsense,
}
