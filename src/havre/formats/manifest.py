"""The manifest: which objects a version adds to one partition, and how to open them.

Canonical JSON, sealed to its partition like the data it lists, because names of
tables, counts and bounds say much about people. Sealing and reading are
`application.vault`; the steps are in `docs/protocols.md`, section 3.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from havre.errors import InvalidInput
from havre.formats.canonical import Json, encode_canonical, parse_canonical
from havre.values import (
    Digest,
    ObjectId,
    Partition,
    parse_digest,
    parse_object_id,
    parse_partition,
)

# A thousand files of a hundred columns fit many times; a reader that accepts more
# can be filled.
MAX_MANIFEST_BYTES = 64 * 1024 * 1024


class ObjectKind(StrEnum):
    """What an object holds; stands in what seals its key, so that none passes for another."""

    TABLE = "table"
    EXTRACT = "extract"
    MANIFEST = "manifest"
    DELIVERY = "delivery"
    QUARANTINE = "quarantine"
    OUTPUT = "output"
    OPPOSITIONS = "oppositions"


@dataclass(frozen=True, slots=True)
class ColumnBounds:
    """What one column of one file spans.

    minimum, maximum: canonical text (a number in decimal, a date as ISO 8601), or
        both null when nothing is known: all cells empty, bytes, or a long text.
    nulls: empty cells.
    """

    minimum: str | None
    maximum: str | None
    nulls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestEntry:
    """One object.

    sha256, size_bytes: of the ciphertext, padding included.
    content_sha256: of the cells in their order (`havre/v2/content`), the same
        under any key and on any host; null for a delivery, which is read once.
    bounds: by column; none for a delivery.
    sealed_key: the object's file key, sealed to the partition.
    """

    object_id: ObjectId
    kind: ObjectKind
    table: str
    sha256: Digest
    size_bytes: int
    rows: int
    content_sha256: Digest | None
    bounds: Mapping[str, ColumnBounds]
    sealed_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What one version adds to and takes from one partition.

    origin: the log's name; a manifest of another hub is refused.
    withdrawn: objects of earlier versions that this version no longer has.
    """

    origin: str
    partition: Partition
    entries: tuple[ManifestEntry, ...]
    withdrawn: tuple[ObjectId, ...] = ()


def encode_manifest(manifest: Manifest) -> bytes:
    """Write a manifest: entries and withdrawals in order of object id.

    Raises:
        InvalidInput: an object stands twice.
    """
    entries = sorted(manifest.entries, key=lambda entry: entry.object_id)
    listed = [entry.object_id for entry in entries] + list(manifest.withdrawn)
    if len(set(listed)) != len(listed):
        raise InvalidInput("An object stands twice in a manifest.")
    return encode_canonical(
        {
            "entries": [_entry_json(entry) for entry in entries],
            "format": "havre/v1/manifest",
            "origin": manifest.origin,
            "partition": manifest.partition.text,
            "withdrawn": [*sorted(manifest.withdrawn)],
        }
    )


def parse_manifest(document: bytes, *, origin: str, partition: Partition) -> Manifest:
    """Read a manifest strictly, and only the one that was asked for.

    Raises:
        InvalidInput: another spelling, another hub's, or another partition's.
    """
    body = parse_canonical(document, limit_bytes=MAX_MANIFEST_BYTES)
    try:
        fields = _object(body)
        read = Manifest(
            origin=_text(fields["origin"]),
            partition=parse_partition(_text(fields["partition"])),
            entries=tuple(_read_entry(entry) for entry in _list(fields["entries"])),
            withdrawn=tuple(parse_object_id(_text(name)) for name in _list(fields["withdrawn"])),
        )
    except (KeyError, TypeError, ValueError):
        raise InvalidInput("A manifest is not of the form havre/v1/manifest.") from None
    # Writing it again finds every field, order and spelling that should not be.
    if encode_manifest(read) != document:
        raise InvalidInput("A manifest has a field or an order that it should not have.")
    if (read.origin, read.partition) != (origin, partition):
        raise InvalidInput("A manifest is of another hub or another partition.")
    return read


def key_context(
    object_id: ObjectId, *, origin: str, kind: ObjectKind, partition: Partition
) -> bytes:
    """Spell what a file key is sealed for: the `info` of HPKE.

    A sealed key that is moved to another object, kind, partition or hub does not
    open (`docs/protocols.md`, section 3).

    >>> from havre.values import PartitionKind
    >>> place = Partition(PartitionKind.DATASET, "dcir", 2023)
    >>> context = key_context(ObjectId("0" * 32), origin="o", kind=ObjectKind.TABLE, partition=place)
    >>> context.decode()[:49]
    '{"dataset":"dcir","generation":1,"kind":"table","'
    """
    return encode_canonical(
        {
            "dataset": partition.name,
            "generation": partition.generation,
            "kind": kind.value,
            "object": object_id,
            "origin": origin,
            "partition": partition.text,
            "use": "havre/v1/file-key",
        }
    )


def _entry_json(entry: ManifestEntry) -> Json:
    return {
        "bounds": {
            name: {"max": span.maximum, "min": span.minimum, "nulls": span.nulls}
            for name, span in entry.bounds.items()
        },
        "content_sha256": entry.content_sha256,
        "kind": entry.kind.value,
        "object": entry.object_id,
        "rows": entry.rows,
        "sealed_key": base64.b64encode(entry.sealed_key).decode(),
        "sha256": entry.sha256,
        "size_bytes": entry.size_bytes,
        "table": entry.table,
    }


def _read_entry(value: Json) -> ManifestEntry:
    fields = _object(value)
    return ManifestEntry(
        object_id=parse_object_id(_text(fields["object"])),
        kind=ObjectKind(_text(fields["kind"])),
        table=_text(fields["table"]),
        sha256=parse_digest(_text(fields["sha256"])),
        size_bytes=_count(fields["size_bytes"]),
        rows=_count(fields["rows"]),
        content_sha256=_read_digest(fields["content_sha256"]),
        bounds={name: _read_bounds(span) for name, span in _object(fields["bounds"]).items()},
        sealed_key=_read_base64(_text(fields["sealed_key"])),
    )


def _read_digest(value: Json) -> Digest | None:
    return None if value is None else parse_digest(_text(value))


def _read_bounds(value: Json) -> ColumnBounds:
    fields = _object(value)
    low, high = fields["min"], fields["max"]
    if low is None and high is None:
        return ColumnBounds(None, None, _count(fields["nulls"]))
    return ColumnBounds(_text(low), _text(high), _count(fields["nulls"]))


def _read_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError from None


def _object(value: Json) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise TypeError
    return value


def _list(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise TypeError
    return value


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _count(value: Json) -> int:
    if type(value) is not int or value < 0:
        raise TypeError
    return value
