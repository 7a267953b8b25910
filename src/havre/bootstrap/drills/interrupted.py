"""A process of the hub that holds something clear, writes it as the hub writes, and dies in the middle.

`python -m havre.bootstrap.drills.interrupted STORE`, which reads what it is to hold on
standard input. It begins as every command of Havre begins, seals a table and then a
stream into a store, and is aborted half way: by the signal that makes a core file
where anything may make one.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from havre.adapters.objects.local import LocalObjects
from havre.adapters.tables.parquet import ParquetTables
from havre.application.vault.sealing import VaultWriter, WritePlace
from havre.bootstrap import keep_memory_private
from havre.formats.manifest import ObjectKind
from havre.values import Partition, PartitionKind

_ROWS = 100_000
_PIECE_BYTES = 1 << 20
_PIECES = 4


def main() -> None:
    """Hold, seal, die."""
    keep_memory_private()
    told = json.load(sys.stdin)
    canary = str(told["canary"])
    vault = VaultWriter(
        LocalObjects(Path(sys.argv[1])), ParquetTables(), origin=str(told["origin"])
    )
    place = WritePlace(
        Partition(PartitionKind.LANDING, "drill", 0, 1), "0" * 32, bytes.fromhex(told["public_key"])
    )
    rows = vault.texts({"held": [f"{canary} {number}" for number in range(_ROWS)]})
    vault.seal_table(rows, table="drill", kind=ObjectKind.TABLE, place=place)
    vault.seal_bytes(_pieces(canary), kind=ObjectKind.QUARANTINE, place=place)


def _pieces(canary: str) -> Iterator[bytes]:
    piece = (canary.encode() * (_PIECE_BYTES // len(canary) + 1))[:_PIECE_BYTES]
    for _ in range(_PIECES):
        yield piece
    os.abort()


if __name__ == "__main__":
    main()
