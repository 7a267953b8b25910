"""How long a hub takes to open a dataset version of a thousand files, its custodians' round trip apart.

The round trip is what others take: the request on the log, the answers, the release on
the log. The hub's own part is the start of the key room, combining the shares, the
sealed manifests read strictly, and a thousand file keys opened. Goal: that part takes
at most a second.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa

from havre.application.ceremony import PartitionCatalogue
from havre.application.vault.keys import KeysWanted, OpenPartitions
from havre.application.vault.reading import ReadPlace, manifest_locations, version_chain
from havre.application.vault.sealing import MANIFEST_DOCUMENT, WritePlace
from havre.bootstrap.founding import found_hub
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.tokens import open_token
from havre.cli.demo_texts import PERMIT
from havre.crypto.random import new_object_id
from havre.domain.events import VersionPublished
from havre.domain.statements import envelope_digest
from havre.formats.manifest import ManifestEntry, ObjectKind
from havre.ports.pages import SiteSettings
from havre.values import Partition, PartitionKind

FILES, COLUMNS, ROWS, ROUNDS = 1_000, 60, 20, 7
NAME = "diabetes-regions"
PARTITIONS = [Partition(PartitionKind.DATASET, "dcir", year) for year in (2023, 2024)]


def main() -> dict[str, float]:
    """Measure; seconds, the fastest of several rounds."""
    with tempfile.TemporaryDirectory() as name:
        hub = _filled(Path(name))
        wanted = _wanted(hub)
        rooms = [_room(hub) for _ in range(ROUNDS)]
        rounds = [_opened(hub, wanted) for _ in range(ROUNDS)]
    room = min(rooms)
    asked, read = (min(each[at] for each in rounds) for at in (0, 1))
    return {
        "opening_custodians_s": round(asked - room, 3),
        "opening_own_s": round(room + read, 3),
    }


def _room(hub: OpenHub) -> float:
    """How long the start of a key room takes."""
    start = time.perf_counter()
    with hub.key_room.open():
        return time.perf_counter() - start


def _opened(hub: OpenHub, wanted: KeysWanted) -> tuple[float, float]:
    """Open the version once; returns how long it took until the shares were there, and from then on."""
    events = {
        each.index: each.event
        for each in hub.log.entries()
        if isinstance(each.event, VersionPublished)
    }
    start = time.perf_counter()
    with hub.release.collect(wanted) as collected:
        answered = time.perf_counter()
        for known in wanted.partitions:
            collected.room.load(
                known.partition_id,
                public_sha256=known.public_sha256,
                shares=collected.shares[known.partition_id],
            )
        keys = OpenPartitions(collected.room, request=collected.request)
        places = [ReadPlace(each.partition, each.partition_id) for each in wanted.partitions]
        reader = hub.reader(keys)
        files = reader.list_files(
            version_chain(events, version=max(events)),
            places=places,
            locations=manifest_locations(hub.records.list_documents(MANIFEST_DOCUMENT)),
        )
        lent = reader.lend_keys(files)
        opened = time.perf_counter()
    assert len(files) == FILES
    assert all(len(lent.unwrap("", file.entry.sealed_key, b"")) == 32 for file in files)
    return answered - start, opened - answered


def _filled(root: Path) -> OpenHub:
    """Found a hub, publish one version of a thousand small files of many columns, grant a permit."""
    found_hub(
        root / "hub",
        parties=root / "parties",
        origin="bench.example/log",
        progress=lambda _said: None,
        settings=SiteSettings(made_up=True),
    )
    hub = OpenHub(root / "hub")
    hub.wake()
    known = PartitionCatalogue(hub.records, log=hub.log)
    places = [known.find(each) for each in PARTITIONS]
    sealed = []
    for at, each in enumerate(places):
        place = WritePlace(each.partition, each.partition_id, each.public_key)
        entries = [_file(hub, number, place) for number in range(at, FILES, len(places))]
        sealed.append(hub.vault.seal_manifest(entries, place=place))
    hub.journal.record(
        VersionPublished(
            event_id=new_object_id(),
            at=hub.clock.now(),
            dataset="dcir",
            parent=None,
            manifests={each.partition_id: each.stored.sha256 for each in sealed},
            rows=FILES * ROWS,
        ),
        documents=[each.document for each in sealed],
    )
    hub.permits.ask(
        PERMIT.format(environment="a" * 64).encode(),
        applicant=open_token(root / "parties/researcher"),
    )
    for authority in ("authority-1", "authority-2"):
        hub.permits.sign(NAME, authority=open_token(root / "parties" / authority))
    return hub


def _file(hub: OpenHub, number: int, place: WritePlace) -> ManifestEntry:
    rows = pa.table(
        {f"COLUMN_{column:02}": range(number, number + ROWS) for column in range(COLUMNS)}
    )
    return hub.vault.seal_table(rows, table="ER_PRS_F", kind=ObjectKind.TABLE, place=place)


def _wanted(hub: OpenHub) -> KeysWanted:
    known = PartitionCatalogue(hub.records, log=hub.log)
    standing = hub.permits.standing(NAME)
    return KeysWanted(
        purpose="extract",
        partitions=[known.find(each) for each in PARTITIONS],
        permit=standing.index,
        documents={envelope_digest(standing.envelope): standing.envelope},
    )


if __name__ == "__main__":
    if "--profile" in sys.argv:
        import cProfile

        cProfile.run("main()", sort="cumtime")
    else:
        print(main())
