"""A whole hub whose objects lie in a directory and at a real S3 server, and P1 over that server."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fakes.kept_twice import KeptTwice
from fakes.seaweed import Seaweed, running_seaweed
from fakes.small_hub import PERMIT_NAME, SmallHub, copy_of, founded, permit_text, quiet, tiny_code
from havre.adapters.seizure.folders import SeizedFolders
from havre.application.drill.search import Search, search_seizure
from havre.bootstrap.stores import list_hosts
from havre.crypto.random import random_bytes
from havre.domain.events import CopiesCounted, PartitionsCreated, events_of
from havre.domain.seizure import Grave
from havre.errors import Unavailable

pytestmark = pytest.mark.integration
URL = "s3://havre/lake"
VERIFIER = Path(__file__).parents[2] / "tools/verify_log.py"


@dataclass(frozen=True)
class Kept:
    """The hub that was, and the server that has its objects."""

    hub: SmallHub
    server: Seaweed

    def command(self, *words: str) -> tuple[int, Any]:
        """Run a command about the stores as an operator would."""
        command = [sys.executable, "-m", "havre", "store", *words, "--json"]
        done = subprocess.run(
            [*command, "--hub", str(self.hub.hub)], capture_output=True, text=True, check=False
        )
        return done.returncode, json.loads(done.stdout)

    @property
    def near(self) -> Path:
        return self.hub.hub / "store"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """The main job, from sealed deliveries to a released table, with two stores from the start."""
    with running_seaweed() as server, pytest.MonkeyPatch.context() as patch:
        hub = copy_of(founded(), tmp_path_factory.mktemp("hub"))
        KeptTwice(hub, server.endpoint, monkeypatch=patch, url=URL)
        wanted = [
            each for each in hub.deliveries.iterdir() if not each.name.startswith("dcir-2025")
        ]
        hub.holder().deliver(sorted(wanted), progress=quiet)
        opened = hub.open()
        assert not opened.receiving.receive().held
        for dataset in opened.ingestion.waiting_datasets():
            opened.ingestion.ingest(dataset, progress=quiet)
        hub.ask(permit_text())
        hub.open().extraction.extract(PERMIT_NAME)
        release(hub, "r1")
        yield Kept(hub, server)


def release(hub: SmallHub, request: str) -> None:
    opened, researcher = hub.open(), hub.token("researcher")
    job = opened.runs.run(PERMIT_NAME, tiny_code(), researcher=researcher).record.job
    opened.reviews.submit(request, job, researcher=researcher)
    for checker in ("checker-1", "checker-2"):
        opened.reviews.vote(request, "approve", checker=hub.token(checker))
    opened.releases.release(request)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_object_of_the_main_job_is_in_both_stores(kept: Kept) -> None:
    code, found = kept.command("check")

    assert code == 0
    assert (found["lost"], found["acts_without_a_list"]) == ([], 0)
    assert {each["store"]: each["objects"] for each in found["stores"]} == dict.fromkeys(
        ("near", "far"), len(files(kept.near))
    )
    assert [each["unlisted"] for each in found["stores"]] == [0, 0]
    assert list_hosts(kept.hub.open().place) == (("near", "cellar"), ("far", "some-cloud"))


def test_a_stranger_verifies_the_log_of_such_a_hub(kept: Kept) -> None:
    site = kept.hub.hub / "site"
    done = subprocess.run([sys.executable, str(VERIFIER), str(site)], check=False)

    assert done.returncode == 0


def test_the_hub_goes_on_when_its_own_disk_is_gone_and_gets_it_back(kept: Kept) -> None:
    """Reading is served from the bucket; writing waits; repairing fills a new disk."""
    before = files(kept.near)
    shutil.rmtree(kept.near)

    release_from_afar = kept.hub.open()
    with pytest.raises(Unavailable, match="near: "):
        # The run reads everything it needs, and cannot seal its output in both stores.
        release_from_afar.runs.run(
            PERMIT_NAME, tiny_code(), researcher=kept.hub.token("researcher")
        )
    assert kept.command("check", "near")[0] == 6
    kept.command("prepare", "near")
    code, done = kept.command("repair")

    assert (code, done["lost"], done["on_the_log"]) == (0, [], True)
    assert files(kept.near) == before
    release(kept.hub, "r2")
    counted = events_of([each.event for each in kept.hub.open().log.entries()], CopiesCounted)
    assert counted[-1].lacking == {"near": 0, "far": 0}


def test_damage_at_the_host_is_found_and_mended_by_the_commands(kept: Kept) -> None:
    store = kept.server.store("lake", copies=kept.hub.root, bucket="havre")
    lost, spoilt, *_ = store.list_objects()
    store.delete(lost)
    store.delete(spoilt)
    store.put(spoilt, [b"something else"])

    code, found = kept.command("scrub")
    mended = kept.command("repair")

    assert code == 4
    assert {each["store"]: each["what"] for each in found["stores"]} == {
        "near": {},
        "far": {"missing": 1, "truncated": 1},
    }
    assert mended[1]["repaired"] == {"far": {"missing": 1, "truncated": 1}}
    assert kept.command("check")[0] == 0


# ------------------------------------------------------------------- P1


def test_nothing_can_be_read_in_any_byte_that_the_server_keeps(kept: Kept, tmp_path: Path) -> None:
    """Its volumes, its indexes, its own databases: all of its directory, with the server off.

    What is the server's own is clear and says nothing of ours; so the search counts
    canaries and keys, in names and contents. Two leaks are planted to see that it finds them.
    """
    leak = random_bytes(2_000) + people(kept.hub)[0].encode() + random_bytes(2_000)
    store = kept.server.store("lake", copies=tmp_path, bucket="havre")
    before = searched(kept, tmp_path / "before")
    store.put(store_id("e"), [leak])
    kept.server.stop()
    after = searched(kept, tmp_path / "after")

    assert before.files > 20
    assert before.size_bytes > sum(map(len, files(kept.near).values()))
    assert grave(before) == []
    assert grave(after) == [Grave.CANARY]


def searched(kept: Kept, copy: Path) -> Search:
    """Take a copy of all that the server keeps, and search it."""
    shutil.copytree(kept.server.folder, copy)
    drugs = ["3400936158832", "3400935848178"]
    events = [each.event for each in kept.hub.open().log.entries()]
    made = events_of(events, PartitionsCreated)
    return search_seizure(
        SeizedFolders({"server": copy}),
        canaries=[*people(kept.hub)[:6], *drugs, "BEN_NIR_PSA", "T_MCOaaB", "EXE_SOI_DTD"],
        public_keys=frozenset(key for each in made for key in each.public_keys.values()),
    )


def grave(result: Search) -> list[Grave]:
    return [each.grave for each in result.sightings if each.grave is not Grave.CLEAR]


def people(hub: SmallHub) -> list[str]:
    lines = (hub.root / "files/truth/people.csv").read_text().splitlines()
    return [line.split(",")[1] for line in lines[1:]]


def store_id(digit: str) -> Any:
    return digit * 32
