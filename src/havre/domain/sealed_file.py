"""One file of a delivery that is not posted yet: sealed whole, and remembered by its holder.

What is remembered holds nothing clear but counts and notes, and no key that opens
anything: file keys are sealed to the landing partition, as in the manifest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from havre.domain.delivery import FileCount, check_lines
from havre.domain.delivery_note import count_words, read_count
from havre.errors import InvalidInput
from havre.formats.canonical import encode_canonical, parse_canonical
from havre.formats.manifest import (
    MAX_MANIFEST_BYTES,
    Manifest,
    ManifestEntry,
    encode_manifest,
    parse_manifest,
)
from havre.values import Digest, Partition, parse_digest, parse_object_id, parse_partition

FORMAT = "havre/v1/sealed-file"


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedFile:
    """What became of one file.

    made_from: everything it was made from, committed to under the holder's own secret:
        the same only where sealing it anew would give the same rows to the same place.
    partition_id, partition: the landing place that it was sealed to.
    entries: its objects, in the order of its rows.
    aside: hash of the lines that stay at the holder, or null where there are none.
    """

    made_from: str
    partition_id: str
    partition: Partition
    count: FileCount
    entries: tuple[ManifestEntry, ...]
    aside: Digest | None


def encode_sealed_file(file: SealedFile, *, origin: str) -> bytes:
    """Write what a holder keeps of a file.

    origin: the log's name of the hub that it is for.
    """
    manifest = Manifest(origin=origin, partition=file.partition, entries=file.entries)
    return encode_canonical(
        {
            "aside": file.aside,
            "file": count_words(file.count),
            "format": FORMAT,
            "made_from": file.made_from,
            "manifest": encode_manifest(manifest).decode(),
            "order": [entry.object_id for entry in file.entries],
            "partition": file.partition.text,
            "partition_id": file.partition_id,
        }
    )


def parse_sealed_file(document: bytes, *, origin: str) -> SealedFile:
    """Read what a holder has kept of a file.

    Raises:
        InvalidInput: it is nothing of the kind, of another hub, or its lines do not add up.
    """
    body: Any = parse_canonical(document, limit_bytes=2 * MAX_MANIFEST_BYTES)
    try:
        if body["format"] != FORMAT:
            raise InvalidInput("This is no file that was sealed before.")
        partition = parse_partition(body["partition"])
        manifest = parse_manifest(body["manifest"].encode(), origin=origin, partition=partition)
        entries = {entry.object_id: entry for entry in manifest.entries}
        if sorted(body["order"]) != sorted(entries):
            raise ValueError
        read = SealedFile(
            made_from=parse_digest(body["made_from"]),
            partition_id=parse_object_id(body["partition_id"]),
            partition=partition,
            count=read_count(body["file"]),
            entries=tuple(entries[parse_object_id(each)] for each in body["order"]),
            aside=None if body["aside"] is None else parse_digest(body["aside"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InvalidInput("What was kept of a sealed file misses something.") from None
    _check(read)
    return read


def _check(file: SealedFile) -> None:
    check_lines(file.count)
    has_lines_aside = any(file.count.set_aside.values())
    if sum(entry.rows for entry in file.entries) != file.count.sent or has_lines_aside != (
        file.aside is not None
    ):
        raise InvalidInput("What was kept of a sealed file does not add up.")
