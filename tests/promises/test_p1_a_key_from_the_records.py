"""P1: what the hub writes is sealed to the keys on the log, whatever its records say."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from fakes.small_hub import SmallHub, copy_of, founded, ingested, quiet
from havre.application.ceremony import PartitionCatalogue, encode_partition
from havre.bootstrap.holders import publish_for_holders
from havre.crypto.sealing import PartitionKey
from havre.domain.events import VersionPublished, events_of
from havre.errors import NotGenuine
from havre.values import PartitionKind


def put_own_keys(hub: SmallHub, kind: PartitionKind) -> None:
    """Somebody with the records' file puts one key of his own in place of all of a kind."""
    mine = PartitionKey.from_seed(bytes(32)).public
    opened = hub.open()
    known = PartitionCatalogue(opened.records, log=opened.log).list_partitions()
    with closing(sqlite3.connect(hub.hub / "records.sqlite")) as database, database:
        for each in known:
            if each.partition.kind is kind:
                body = encode_partition(each.partition, mine)
                database.execute(
                    "UPDATE documents SET body = ? WHERE kind = 'partition' AND name = ?",
                    (body, each.partition_id),
                )


def test_rows_are_not_sealed_to_a_key_that_the_log_does_not_have(tmp_path: Path) -> None:
    hub = copy_of(founded(), tmp_path)
    hub.holder().deliver([hub.deliveries / "cepidc-2024"], progress=quiet)
    assert not hub.open().receiving.receive().held
    before = set(hub.open().objects.list_objects())
    put_own_keys(hub, PartitionKind.DATASET)

    with pytest.raises(NotGenuine, match="other public keys than the log"):
        hub.open().ingestion.ingest("cepidc", progress=quiet)

    opened = hub.open()
    assert set(opened.objects.list_objects()) == before
    assert events_of([each.event for each in opened.log.entries()], VersionPublished) == []


def test_holders_are_offered_no_landing_place_whose_key_the_log_does_not_have(
    tmp_path: Path,
) -> None:
    hub = copy_of(founded(), tmp_path)
    put_own_keys(hub, PartitionKind.LANDING)

    with pytest.raises(NotGenuine, match="other public keys than the log"):
        publish_for_holders(hub.open())


def test_a_partition_that_the_log_does_not_know_is_none(tmp_path: Path) -> None:
    hub = copy_of(ingested(), tmp_path)
    opened = hub.open()
    known = PartitionCatalogue(opened.records, log=opened.log).list_partitions()
    with closing(sqlite3.connect(hub.hub / "records.sqlite")) as database, database:
        database.execute(
            "INSERT INTO documents (kind, name, body) SELECT kind, ?, body FROM documents"
            " WHERE kind = 'partition' LIMIT 1",
            ("f" * 32,),
        )

    again = hub.open()
    assert PartitionCatalogue(again.records, log=again.log).list_partitions() == known
