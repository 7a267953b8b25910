"""A real S3 server for a test: SeaweedFS, started and stopped by the test itself.

`make servers` installs it from a lock of its own. Everything that it keeps is under
one folder, so that a test can take all of it as a host would have it.
"""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory

from havre.adapters.objects.s3 import AccessKey, Bucket, Patience, S3Objects

PROGRAM = Path(__file__).parents[2] / ".servers" / "bin" / "weed"
KEY = AccessKey("HUBTEST", "hub-test-secret")
# Short, so that a test of a slow host is over soon.
PATIENCE = Patience(answer_s=20.0, connect_s=2.0, retries=2, retry_s=20.0)
_READY_S = 60.0


@dataclass(frozen=True)
class Seaweed:
    """A server that runs; stopped, what it kept can be read and changes no more."""

    port: int
    folder: Path
    stop: Callable[[], None]

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def place(self, prefix: str, bucket: str = "lake") -> Bucket:
        return Bucket(self.endpoint, bucket, prefix, "us-east-1")

    def store(self, prefix: str, *, copies: Path, bucket: str = "lake") -> S3Objects:
        """A prepared store; each prefix is a store of its own, for buckets cost room here."""
        place = self.place(prefix, bucket)
        store = S3Objects(place, key=KEY, copies=copies, patience=PATIENCE)
        store.prepare()
        return store


@contextmanager
def running_seaweed() -> Iterator[Seaweed]:
    """Start a server in a folder of its own, and stop it."""
    assert PROGRAM.exists(), "run through `make test-integration`, which installs SeaweedFS"
    with TemporaryDirectory(prefix="havre-seaweed-") as root:
        folder = Path(root)
        keys = {"accessKey": KEY.key_id, "secretKey": KEY.secret}
        actions = ["Admin", "Read", "Write", "List"]
        identity = {"name": "hub", "credentials": [keys], "actions": actions}
        (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
        (folder / "kept").mkdir()
        s3, *others = _free_ports(8)
        with (folder / "log").open("wb") as log:
            # Its sockets are files where temporary files are.
            place = {"TMPDIR": root, "HOME": root}
            command = _command(folder, s3, others)
            server = subprocess.Popen(command, env=place, stdout=log, stderr=log)
        try:
            _wait(server, s3, folder / "log")
            yield Seaweed(s3, folder / "kept", lambda: _end(server))
        finally:
            _end(server)
            # It puts some of its sockets there whatever it is told.
            for port in (s3, *others):
                for left in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
                    left.unlink(missing_ok=True)


def _end(server: subprocess.Popen[bytes]) -> None:
    # Asked to end, it waits for connections that a client keeps open.
    server.kill()
    server.wait()


def _command(folder: Path, s3: int, others: list[int]) -> list[str]:
    master, master_grpc, volume, volume_grpc, filer, filer_grpc, s3_grpc = others
    return [
        *(str(PROGRAM), "server", f"-dir={folder / 'kept'}"),
        *("-ip=127.0.0.1", "-ip.bind=127.0.0.1"),
        *(f"-master.port={master}", f"-master.port.grpc={master_grpc}"),
        *(f"-volume.port={volume}", f"-volume.port.grpc={volume_grpc}"),
        *(f"-filer.port={filer}", f"-filer.port.grpc={filer_grpc}"),
        *("-s3", f"-s3.port={s3}", f"-s3.port.grpc={s3_grpc}", f"-s3.config={folder / 's3.json'}"),
        *("-s3.port.iceberg=0", "-s3.port.lance=0", f"-s3.localSocket={folder / 's3.sock'}"),
        f"-filer.localSocket={folder / 'filer.sock'}",
        *("-master.volumeSizeLimitMB=64", "-volume.max=40", "-master.telemetry=false"),
    ]


def _free_ports(number: int) -> list[int]:
    held = [socket.socket() for _ in range(number)]
    try:
        for each in held:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in held]
    finally:
        for each in held:
            each.close()


def _wait(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Until an object can be written: the S3 door opens before there is a volume behind it."""
    end = time.monotonic() + _READY_S
    while time.monotonic() < end:
        if server.poll() is not None:
            raise RuntimeError(f"SeaweedFS ended:\n{log.read_text()[-2000:]}")
        if _answers(port):
            return
        time.sleep(0.2)
    raise RuntimeError(f"SeaweedFS was not ready in {_READY_S} s:\n{log.read_text()[-2000:]}")


def _answers(port: int) -> bool:
    try:
        connection = HTTPConnection("127.0.0.1", port, timeout=2)
        connection.request("GET", "/")
        connection.getresponse().read()
        connection.close()
    except OSError:
        return False
    wait = Patience(answer_s=5.0, connect_s=1.0, retries=0, retry_s=1.0)
    place = Seaweed(port, Path(), lambda: None).place("ready")
    try:
        S3Objects(place, key=KEY, copies=Path(), patience=wait).prepare()
    except Exception:  # noqa: BLE001 - whatever it says, it is not ready
        return False
    return True
