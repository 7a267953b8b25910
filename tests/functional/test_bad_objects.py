"""A store's host that gives other bytes than it was given, tried on a whole hub that makes an extract.

One row each of the table in docs/bad-input.md. Nothing is made of what is not
genuine, and nothing is lost: the same command succeeds when the host behaves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest

from fakes.kept_twice import KeptTwice
from fakes.s3_host import Manner, S3Host, running_s3_host
from fakes.small_hub import PERMIT_NAME, SmallHub, copy_of, founded, quiet
from havre.application.vault.inventory import read_inventory
from havre.cli.demo_texts import PERMIT
from havre.domain.events import ExtractMade, VersionPublished, events_of
from havre.errors import NotGenuine
from havre.values import ObjectId

ROUNDS = (
    ("beneficiaires-2024", "cepidc-2024", "dcir-2023-03", "pmsi-mco-2023"),
    ("dcir-2023-04",),
)


@cache
def lake() -> SmallHub:
    """A hub with a permit in force, and two versions of one partition; made once per process."""
    hub = copy_of(founded(), Path(mkdtemp(prefix="havre-two-versions-")))
    for names in ROUNDS:
        hub.holder().deliver([hub.deliveries / name for name in names], progress=quiet)
        opened = hub.open()
        assert not opened.receiving.receive().held
        for dataset in opened.ingestion.waiting_datasets():
            opened.ingestion.ingest(dataset, progress=quiet)
    hub.ask(PERMIT.format(environment="a" * 64))
    return hub


@pytest.fixture
def host() -> Iterator[S3Host]:
    with running_s3_host() as running:
        yield running


@pytest.fixture
def kept(tmp_path: Path, host: S3Host, monkeypatch: pytest.MonkeyPatch) -> KeptTwice:
    """The hub, whose own disk has lost every object: all of them are asked of the host."""
    kept = KeptTwice(
        copy_of(lake(), tmp_path / "hub"), host.endpoint, monkeypatch=monkeypatch, needed=1
    )
    kept.fill_far(host)
    for path in (kept.hub.hub / "store/objects").rglob("?" * 32):
        path.unlink()
    return kept


def manifests(kept: KeptTwice) -> tuple[ObjectId, ObjectId]:
    """The manifest of the older version of DCIR's partition of 2023, and the newer one."""
    opened = kept.open()
    inventory = read_inventory(opened.records, log=opened.log)
    by_hash: dict[str, ObjectId] = {each.sha256: name for name, each in inventory.objects.items()}
    published = events_of([each.event for each in opened.log.entries()], VersionPublished)
    first, second = [each.manifests for each in published if each.dataset == "dcir"]
    (both,) = set(first) & set(second)
    return by_hash[first[both]], by_hash[second[both]]


def files(host: S3Host) -> list[str]:
    """Where the host has the files of tables: the extract reads some of them."""
    found = [path for path, body in host.objects.items() if body.startswith(b"PARE")]
    assert len(found) > 1
    return found


def truncate(kept: KeptTwice, host: S3Host) -> None:
    for path in files(host):
        host.objects[path] = host.objects[path][: len(host.objects[path]) // 2]


def cut_a_byte(kept: KeptTwice, host: S3Host) -> None:
    for path in files(host):
        host.objects[path] = host.objects[path][:-1]


def swap(kept: KeptTwice, host: S3Host) -> None:
    paths = files(host)
    bodies = [host.objects[path] for path in paths]
    host.objects.update(zip(paths, [*bodies[1:], bodies[0]], strict=True))


def roll_back(kept: KeptTwice, host: S3Host) -> None:
    old, new = map(host.path, manifests(kept))
    assert host.objects[old] != host.objects[new]
    host.objects[new] = host.objects[old]


def say_200_and_nothing(kept: KeptTwice, host: S3Host) -> None:
    host.manner = Manner.EMPTY


MANNERS: dict[str, tuple[Callable[[KeptTwice, S3Host], None], str]] = {
    "truncated object": (truncate, "not the one that was written"),
    "one byte short": (cut_a_byte, "not the one that was written"),
    "swapped objects": (swap, "not the one that was written"),
    "old manifest served as new": (roll_back, "not the one that was written"),
    "200 with an empty body": (say_200_and_nothing, "is empty"),
}


@pytest.mark.parametrize("manner", MANNERS)
def test_what_a_host_gives_instead_of_an_object_makes_no_extract(
    kept: KeptTwice, host: S3Host, manner: str
) -> None:
    before, (act, words) = dict(host.objects), MANNERS[manner]
    act(kept, host)

    with pytest.raises(NotGenuine, match=words):
        kept.hub.open().extraction.extract(PERMIT_NAME)
    assert not events_of([each.event for each in kept.open().log.entries()], ExtractMade)

    host.manner, host.objects = Manner.GOOD, {**host.objects, **before}
    rows = kept.hub.open().extraction.extract(PERMIT_NAME).rows
    assert min(rows.values()) > 0
    assert rows == true_rows()


@cache
def true_rows() -> dict[str, int]:
    """What the extract has where nobody lies."""
    hub = copy_of(lake(), Path(mkdtemp(prefix="havre-true-rows-")))
    return dict(hub.open().extraction.extract(PERMIT_NAME).rows)
