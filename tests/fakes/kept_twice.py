"""A small hub whose objects lie in two stores: a directory, and a bucket at a host."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest

from fakes.s3_host import S3Host
from fakes.small_hub import SmallHub, copy_of, founded, quiet
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.place import CONFIGURATION
from havre.bootstrap.upkeep import prepare_stores
from havre.values import ObjectId


@cache
def small_lake() -> SmallHub:
    """A hub with two versions of one dataset and one of another, made once per process."""
    hub = copy_of(founded(), Path(mkdtemp(prefix="havre-small-lake-")))
    for name in ("cepidc-2024", "pmsi-mco-2023", "pmsi-mco-2024"):
        hub.holder().deliver([hub.deliveries / name], progress=quiet)
        opened = hub.open()
        assert not opened.receiving.receive().held
        opened.ingestion.ingest(name.rpartition("-")[0], progress=quiet)
    return hub


class KeptTwice:
    """The hub, its directory `near` and its bucket `far`; both are prepared, and `far` is empty."""

    def __init__(
        self,
        hub: SmallHub,
        endpoint: str,
        *,
        monkeypatch: pytest.MonkeyPatch,
        needed: int = 2,
        url: str = "s3://bucket/lake",
    ) -> None:
        self.hub = hub
        monkeypatch.setenv("HAVRE_STORE_FAR_KEY_ID", "HUBTEST")
        monkeypatch.setenv("HAVRE_STORE_FAR_SECRET", "hub-test-secret")
        with (hub.hub / CONFIGURATION).open("a", encoding="utf-8") as file:
            file.write(
                '[[stores]]\nname = "near"\nhost = "cellar"\npath = "store"\n'
                f'[[stores]]\nname = "far"\nhost = "some-cloud"\nurl = "{url}"\n'
                f'endpoint = "{endpoint}"\n[replicas]\nneeded = {needed}\n'
            )
        prepare_stores(self.open(), name=None)

    def open(self) -> OpenHub:
        """The hub, as a new process would open it."""
        return OpenHub(self.hub.hub)

    def fill_far(self, host: S3Host) -> None:
        """Have the same objects at the host as in the directory."""
        for path in (self.hub.hub / "store/objects").rglob("?" * 32):
            host.objects[host.path(path.name)] = path.read_bytes()

    def near(self, object_id: ObjectId) -> Path:
        """The file of an object in the directory."""
        return self.hub.hub / "store/objects" / object_id[:2] / object_id

    def overwrite_near(self, object_id: ObjectId, body: bytes) -> None:
        """Change a file of the directory as its host would."""
        self.near(object_id).chmod(0o600)
        self.near(object_id).write_bytes(body)


def far_bodies(host: S3Host) -> dict[ObjectId, bytes]:
    """What the host has, by object."""
    return {
        ObjectId(path.rpartition("/")[2]): body
        for path, body in host.objects.items()
        if "/objects/" in path
    }
