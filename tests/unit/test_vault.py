"""The vault: sealed on the way in, checked from the log downwards on the way out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from fakes.objects import MemoryObjects
from fakes.pseudonymiser import NaivePseudonymiser
from havre.adapters.engines.reference import ReferenceEngine
from havre.adapters.tables.parquet import ParquetTables
from havre.application.pseudonymise import PseudonymisedTable, pseudonymise_for_lake
from havre.application.vault.reading import (
    ListedFile,
    ReadPlace,
    VaultReader,
    find_manifests,
    manifest_locations,
    version_chain,
)
from havre.application.vault.sealing import (
    NoPlace,
    SealedVersion,
    VaultWriter,
    VersionWriter,
    WritePlace,
)
from havre.crypto.sealing import PartitionKey
from havre.domain.events import VersionPublished
from havre.domain.plan import Between, Plan, TablePlan
from havre.domain.schema import Column, ColumnType, TableSchema, Treatment
from havre.errors import HavreError, InvalidInput, NotFound, NotGenuine
from havre.formats.manifest import ObjectKind
from havre.values import ObjectId, Partition, PartitionKind

ORIGIN = "hub.example/log"
SCHEMA = TableSchema(
    name="CARE",
    dataset="dcir",
    columns=(
        Column(name="WHO", treatment=Treatment.FOREIGN_PSEUDONYM, realm="nir-psa"),
        Column(name="DAY", type=ColumnType.DATE),
        Column(name="CODE"),
    ),
    year_column="DAY",
)


class Lent:
    """Keys of some partitions, by opaque id; counts what was opened."""

    def __init__(self, keys: dict[str, PartitionKey]) -> None:
        self._keys = keys
        self.opened = 0

    def unwrap(self, partition_id: str, sealed: bytes, info: bytes) -> bytes:
        self.opened += 1
        return self._keys[partition_id].open_key(sealed, info=info)


class Lake:
    """Two years of one dataset over a store in memory."""

    def __init__(self) -> None:
        self.objects = MemoryObjects()
        self.keys = {
            f"id-{year}": PartitionKey.from_seed(bytes([year % 100]) * 32) for year in (2021, 2022)
        }
        self.partitions = {
            year: Partition(PartitionKind.DATASET, "dcir", year) for year in (2021, 2022)
        }
        self.writer = VaultWriter(self.objects, ParquetTables(), origin=ORIGIN)
        self.lent = Lent(self.keys)
        self.reader = VaultReader(self.objects, ParquetTables(), origin=ORIGIN, keys=self.lent)

    @property
    def write_places(self) -> dict[int, WritePlace]:
        return {
            year: WritePlace(partition, f"id-{year}", self.keys[f"id-{year}"].public)
            for year, partition in self.partitions.items()
        }

    @property
    def read_places(self) -> list[ReadPlace]:
        return [ReadPlace(place, f"id-{year}") for year, place in self.partitions.items()]

    def seal(self, *days: date) -> SealedVersion:
        version = VersionWriter(self.writer, places=self.write_places)
        version.add(care(*days), delivery="delivery-1")
        return version.close()

    def files(
        self, *versions: SealedVersion, places: Sequence[ReadPlace] | None = None
    ) -> tuple[ListedFile, ...]:
        published = {
            index: published_as(version, parent=index - 1 if index else None)
            for index, version in enumerate(versions)
        }
        documents = [document for version in versions for document in version.documents]
        chain = version_chain(published, version=len(versions) - 1)
        return self.reader.list_files(
            chain,
            places=self.read_places if places is None else places,
            locations=manifest_locations(documents),
        )


def care(*days: date) -> PseudonymisedTable:
    rows = pa.table(
        {
            "WHO": ["ab" * 16] * len(days),
            "DAY": pa.array(days, pa.date32()),
            "CODE": [f"c{n}" for n in range(len(days))],
        }
    )
    return pseudonymise_for_lake(
        rows, schema=SCHEMA, secret=bytes(32), pseudonymiser=NaivePseudonymiser()
    )


def published_as(version: SealedVersion, *, parent: int | None = None) -> VersionPublished:
    return VersionPublished(
        event_id="0" * 32,
        at=datetime(2026, 1, 1, tzinfo=UTC),
        dataset="dcir",
        parent=parent,
        manifests=version.digests,
        rows=version.rows,
    )


@pytest.fixture
def lake() -> Lake:
    return Lake()


def flip(lake: Lake, object_id: ObjectId, at: int) -> None:
    altered = bytearray(lake.objects.objects[object_id])
    altered[at] ^= 1
    lake.objects.objects[object_id] = bytes(altered)


def days_of(lake: Lake, files: Sequence[ListedFile]) -> list[Any]:
    days: list[Any] = []
    for file in files:
        with lake.reader.read_table(file) as rows:
            days += pa.table(rows)["DAY"].to_pylist()
    return sorted(days)


DAYS = (date(2021, 3, 1), date(2022, 3, 1), date(2021, 4, 1))


def test_a_version_has_a_manifest_for_each_year_it_touches(lake: Lake) -> None:
    version = lake.seal(*DAYS)

    assert sorted(version.digests) == ["id-2021", "id-2022"]
    assert [(sealed.partition.year, sealed.rows) for sealed in version.manifests] == [
        (2021, 2),
        (2022, 1),
    ]


def test_what_was_sealed_is_read(lake: Lake) -> None:
    assert days_of(lake, lake.files(lake.seal(*DAYS))) == sorted(DAYS)


def test_only_open_partitions_are_listed(lake: Lake) -> None:
    files = lake.files(lake.seal(*DAYS), places=lake.read_places[1:])

    assert days_of(lake, files) == [date(2022, 3, 1)]


def test_a_version_is_the_union_of_its_chain(lake: Lake) -> None:
    first, second = lake.seal(*DAYS), lake.seal(date(2022, 5, 5))

    assert days_of(lake, lake.files(first, second)) == sorted([*DAYS, date(2022, 5, 5)])
    assert days_of(lake, lake.files(first)) == sorted(DAYS)


def test_withdrawn_objects_are_in_the_old_version_only(lake: Lake) -> None:
    first = lake.seal(*DAYS)
    gone = next(f.entry.object_id for f in lake.files(first) if f.place.partition.year == 2021)
    correction = SealedVersion(
        (lake.writer.seal_manifest([], place=lake.write_places[2021], withdrawn=[gone]),)
    )

    assert days_of(lake, lake.files(first, correction)) == [date(2022, 3, 1)]
    assert days_of(lake, lake.files(first)) == sorted(DAYS)


def test_a_version_that_withdraws_a_delivery_has_its_rows_no_longer(lake: Lake) -> None:
    first = VersionWriter(lake.writer, places=lake.write_places)
    first.add(care(date(2021, 3, 1), date(2022, 3, 1)), delivery="a")
    first.add(care(date(2021, 4, 1)), delivery="b")
    before = first.close()
    assert before.objects is not None
    second = VersionWriter(lake.writer, places=lake.write_places)
    for placed in before.objects.added["a"]:
        second.withdraw([placed.object_id], year=int(placed.partition_id.removeprefix("id-")))
    after = second.close()

    left = {file.entry.object_id for file in lake.files(before, after)}

    assert left == {placed.object_id for placed in before.objects.added["b"]}
    assert [sealed.rows for sealed in after.manifests] == [0, 0]
    assert len(lake.files(before)) == 3


def test_rows_without_a_partition_stop_the_version(lake: Lake) -> None:
    with pytest.raises(NoPlace, match="2019"):
        lake.seal(date(2019, 1, 1))


def test_nothing_clear_reaches_the_store(lake: Lake) -> None:
    lake.seal(*DAYS)
    list(
        lake.writer.seal_bytes(
            [b"canary in a delivery"] and [b"canary"],
            kind=ObjectKind.DELIVERY,
            place=lake.write_places[2021],
        ).sha256
    )

    for body in lake.objects.objects.values():
        for clear in (b"CARE", b"CODE", b"2021-0", b"canary", b"dcir"):
            assert clear not in body


def test_two_attempts_share_no_name_and_no_byte_of_cipher(lake: Lake) -> None:
    one, other = lake.seal(*DAYS), lake.seal(*DAYS)

    assert not set(one.digests.values()) & set(other.digests.values())
    assert len(set(lake.objects.objects.values())) == 8


@pytest.mark.parametrize("at", [0, 30, 1300, -1])
def test_a_flipped_byte_of_a_manifest_is_refused(lake: Lake, at: int) -> None:
    version = lake.seal(*DAYS)
    flip(lake, version.manifests[0].stored.object_id, at)

    with pytest.raises(NotGenuine):
        lake.files(version)


def test_a_flipped_byte_of_a_file_is_refused_padding_included(lake: Lake) -> None:
    file, *_ = lake.files(lake.seal(*DAYS))
    body = lake.objects.objects[file.entry.object_id]

    for at in range(0, len(body), 97):
        flip(lake, file.entry.object_id, at)
        with pytest.raises(NotGenuine), lake.reader.read_table(file):
            pass
        flip(lake, file.entry.object_id, at)
    assert days_of(lake, [file])


def test_a_manifest_of_an_earlier_version_in_place_of_a_later_is_refused(lake: Lake) -> None:
    """A rollback by the store: the log's hash says which one is meant."""
    first, second = lake.seal(*DAYS), lake.seal(*DAYS)
    old, new = (version.manifests[0].stored.object_id for version in (first, second))
    lake.objects.objects[new] = lake.objects.objects[old]

    with pytest.raises(NotGenuine):
        lake.files(second)


def test_a_manifest_anybody_could_seal_is_not_believed(lake: Lake) -> None:
    version = lake.seal(*DAYS)
    forged = lake.writer.seal_manifest([], place=lake.write_places[2021])
    locations = manifest_locations(version.documents)
    locations[version.digests["id-2021"]] = forged.stored.object_id

    with pytest.raises(NotGenuine):
        lake.reader.list_files(
            [published_as(version)], places=lake.read_places, locations=locations
        )


def test_a_missing_manifest_and_a_missing_object_are_named(lake: Lake) -> None:
    version = lake.seal(*DAYS)
    file, *_ = lake.files(version)

    with pytest.raises(NotFound):
        lake.reader.list_files([published_as(version)], places=lake.read_places, locations={})
    lake.objects.delete(file.entry.object_id)
    with pytest.raises(NotFound), lake.reader.read_table(file):
        pass


def test_manifests_are_found_again_by_the_log_alone(lake: Lake) -> None:
    version = lake.seal(*DAYS)

    assert find_manifests(lake.objects, digests=version.digests.values()) == (
        manifest_locations(version.documents)
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": ObjectKind.QUARANTINE},
        {"place": ReadPlace(Partition(PartitionKind.DATASET, "dcir", 2022), "id-2021")},
    ],
)
def test_a_sealed_object_opens_as_what_it_was_sealed_for_only(
    lake: Lake, changes: dict[str, Any]
) -> None:
    stored = lake.writer.seal_bytes(
        [b"a" * 3_000_000, b"", b"b"], kind=ObjectKind.DELIVERY, place=lake.write_places[2021]
    )
    meant: dict[str, Any] = {
        "kind": ObjectKind.DELIVERY,
        "place": lake.read_places[0],
        "sha256": stored.sha256,
    }

    assert b"".join(lake.reader.open_bytes(stored.object_id, **meant)) == b"a" * 3_000_000 + b"b"
    with pytest.raises(HavreError):
        list(lake.reader.open_bytes(stored.object_id, **(meant | changes)))


def test_an_object_of_another_hash_yields_not_one_byte(lake: Lake) -> None:
    stored = lake.writer.seal_bytes([b"x"], kind=ObjectKind.DELIVERY, place=lake.write_places[2021])

    with pytest.raises(NotGenuine):
        lake.reader.open_bytes(
            stored.object_id, kind=ObjectKind.DELIVERY, place=lake.read_places[0], sha256="0" * 64
        )


def test_a_manifest_of_another_hub_is_refused(lake: Lake) -> None:
    other = VaultWriter(lake.objects, ParquetTables(), origin="other.example/log")
    sealed = other.seal_manifest([], place=lake.write_places[2021])

    with pytest.raises((NotGenuine, InvalidInput)):
        lake.reader.read_manifest(
            sealed.stored.object_id, place=lake.read_places[0], sha256=sealed.stored.sha256
        )


def test_a_plan_opens_only_the_files_it_needs(lake: Lake) -> None:
    files = lake.files(lake.seal(*DAYS))
    lake.lent.opened = 0
    spring = Between("DAY", date(2022, 1, 1), date(2022, 6, 1))
    plan = Plan((TablePlan(table="CARE", columns=("DAY",), conditions=(spring,)),))

    with lake.reader.sources(plan, files=files) as sources:
        results = ReferenceEngine().run(plan, sources=sources)
        assert pa.table(results["CARE"])["DAY"].to_pylist() == [date(2022, 3, 1)]
    assert lake.lent.opened == 1


def test_an_extract_is_sealed_to_its_project(lake: Lake) -> None:
    project = Partition(PartitionKind.PROJECT, "diabetes")
    key = PartitionKey.from_seed(b"p" * 32)
    place = WritePlace(project, "id-project", key.public)
    extract = lake.writer.seal_extract(
        {"CARE": pa.table({"DAY": DAYS}), "EMPTY": pa.table({"N": pa.array([], pa.int64())})},
        place=place,
    )

    (sealed,) = extract.manifests
    reader = VaultReader(
        lake.objects, ParquetTables(), origin=ORIGIN, keys=Lent({"id-project": key})
    )
    manifest = reader.read_manifest(
        sealed.stored.object_id, place=ReadPlace(project, "id-project"), sha256=sealed.stored.sha256
    )

    assert sorted((entry.table, entry.rows) for entry in manifest.entries) == [
        ("CARE", 3),
        ("EMPTY", 0),
    ]
    assert {entry.kind for entry in manifest.entries} == {ObjectKind.EXTRACT}


def test_the_content_of_a_file_is_compared_with_its_manifest(lake: Lake) -> None:
    for file in lake.files(lake.seal(*DAYS)):
        lake.reader.check_content(file)


def test_a_sweep_takes_orphans_after_seven_days(lake: Lake) -> None:
    version = lake.seal(*DAYS)
    live = {file.entry.object_id for file in lake.files(version)} | set(
        manifest_locations(version.documents).values()
    )
    orphan = lake.writer.seal_bytes([], kind=ObjectKind.QUARANTINE, place=lake.write_places[2021])
    now = datetime.now(UTC)

    assert lake.writer.sweep(live, now=now + timedelta(days=6)) == ()
    assert lake.writer.sweep(live, now=now + timedelta(days=8)) == (orphan.object_id,)


def test_a_chain_with_a_hole_is_refused(lake: Lake) -> None:
    event = published_as(lake.seal(*DAYS), parent=3)

    with pytest.raises(NotGenuine):
        version_chain({5: event}, version=5)
    with pytest.raises(NotGenuine):
        version_chain({3: event, 5: event}, version=3)
    with pytest.raises(NotFound):
        version_chain({}, version=5)
