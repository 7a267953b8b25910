"""What lies in the store is nobody's to read, and everybody's who has the key.

Promise 1 (host-blind) and promise 6 (you can leave): the very files of the
store's directory, opened by two readers that are not ours.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe
import pytest

from havre.adapters.objects.local import LocalObjects
from havre.adapters.tables.parquet import ParquetTables
from havre.application.vault.reading import ListedFile, ReadPlace, VaultReader
from havre.application.vault.sealing import VaultWriter, WritePlace
from havre.crypto.sealing import PartitionKey
from havre.errors import NotGenuine
from havre.formats.manifest import ObjectKind, key_context
from havre.values import Partition, PartitionKind

ORIGIN = "hub.example/log"
PLACE = Partition(PartitionKind.DATASET, "dcir", 2023)
ROWS = pa.table(
    {
        "canary_column": [f"canary cell {n % 50}" for n in range(5000)],
        "number": range(5000),
        "person": pa.array([n.to_bytes(16, "big") for n in range(5000)], pa.binary(16)),
    }
)


class _Keys:
    def __init__(self, key: PartitionKey) -> None:
        self._key = key

    def unwrap(self, partition_id: str, sealed: bytes, info: bytes) -> bytes:
        del partition_id
        return self._key.open_key(sealed, info=info)


@dataclass(frozen=True)
class Stored:
    """One sealed file in a real directory, and the key that a permit would lend."""

    path: Path
    key: bytes
    file: ListedFile
    reader: VaultReader


@pytest.fixture
def stored(tmp_path: Path) -> Stored:
    partition_key = PartitionKey.from_seed(b"s" * 32)
    objects = LocalObjects(tmp_path)
    writer = VaultWriter(objects, ParquetTables(), origin=ORIGIN)
    place = WritePlace(PLACE, "opaque", partition_key.public)
    entry = writer.seal_table(ROWS, table="ER_PRS_F", kind=ObjectKind.TABLE, place=place)
    context = key_context(entry.object_id, origin=ORIGIN, kind=entry.kind, partition=PLACE)
    key = partition_key.open_key(entry.sealed_key, info=context)
    reader = VaultReader(objects, ParquetTables(), origin=ORIGIN, keys=_Keys(partition_key))
    (path,) = (found for found in tmp_path.rglob("*") if found.is_file())
    return Stored(path, key, ListedFile(ReadPlace(PLACE, "opaque"), entry), reader)


def by_pyarrow(file: bytes, key: bytes | None) -> Any:
    keys = pe.create_decryption_properties(key) if key else None
    return pq.read_table(io.BytesIO(file), decryption_properties=keys)


def by_polars(file: bytes, key: bytes | None) -> Any:
    keys = pl.ParquetDecryptionProperties(footer_key=key) if key else None
    return pl.read_parquet(io.BytesIO(file), decryption=keys).to_arrow()


READERS = pytest.mark.parametrize("read", [by_pyarrow, by_polars])


def cells(table: Any) -> list[Any]:
    rows: list[Any] = table.to_pylist()
    return rows


@READERS
def test_other_readers_open_the_stores_files_given_the_key(stored: Stored, read: Any) -> None:
    assert cells(read(stored.path.read_bytes(), stored.key)) == cells(ROWS)


@READERS
@pytest.mark.parametrize("key", [None, bytes(32)])
def test_other_readers_refuse_them_without_the_key(
    stored: Stored, read: Any, key: bytes | None
) -> None:
    with pytest.raises((OSError, pl.exceptions.PolarsError)):
        read(stored.path.read_bytes(), key)


@READERS
def test_other_readers_refuse_a_flipped_byte(stored: Stored, read: Any) -> None:
    """In the cells; lengths and padding, which no reader trusts, are ours to refuse."""
    body = bytearray(stored.path.read_bytes())
    for at in (200, len(body) // 4, len(body) // 2, len(body) - 60):
        body[at] ^= 1
        with pytest.raises((OSError, pa.ArrowException, pl.exceptions.PolarsError)):
            read(bytes(body), stored.key)
        body[at] ^= 1


def test_the_vault_refuses_a_flipped_byte_wherever_it_is(stored: Stored) -> None:
    whole = stored.path.read_bytes()
    stored.path.chmod(0o600)

    for at in [*range(0, len(whole), len(whole) // 60), len(whole) - 1]:
        altered = bytearray(whole)
        altered[at] ^= 1
        stored.path.write_bytes(altered)
        with pytest.raises(NotGenuine), stored.reader.read_table(stored.file):
            pass


def test_no_name_and_no_cell_lies_in_the_directory(stored: Stored) -> None:
    """The same search finds the canary where it was planted in clear."""
    root = stored.path.parents[2]
    planted = root / "objects" / "planted"
    planted.write_bytes(b"".join(ParquetTables().write_clear(ROWS)))

    found = {
        path
        for path in root.rglob("*")
        if path.is_file()
        for clear in (b"canary", b"ER_PRS_F", b"dcir")
        if clear in path.read_bytes() or clear.decode() in str(path.relative_to(root))
    }

    assert found == {planted}
