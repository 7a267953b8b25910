"""The tiny frozen values that every room shares.

No rule lives here: a value checks its own spelling and nothing else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import NewType, Protocol, runtime_checkable

from havre.errors import InvalidInput

# 128 random bits, drawn by `crypto.random`: opaque on purpose, so that a host
# learns nothing from a name.
ObjectId = NewType("ObjectId", str)

# SHA-256 in lower-case hexadecimal, 64 characters.
Digest = NewType("Digest", str)

_OBJECT_ID = re.compile(r"[0-9a-f]{32}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
MAX_NAME_CHARACTERS = 64
_NAME = re.compile(rf"[a-z0-9][a-z0-9-]{{0,{MAX_NAME_CHARACTERS - 1}}}")


def parse_object_id(text: str) -> ObjectId:
    """Read an object's opaque name: 32 lower-case hexadecimal characters.

    Raises:
        InvalidInput: the text is spelled otherwise.

    >>> parse_object_id("0" * 32) == "0" * 32
    True
    """
    if not _OBJECT_ID.fullmatch(text):
        raise InvalidInput("An object id is not 32 hexadecimal characters.")
    return ObjectId(text)


def parse_digest(text: str) -> Digest:
    """Read a SHA-256 written as 64 lower-case hexadecimal characters.

    Raises:
        InvalidInput: the text is spelled otherwise.
    """
    if not _DIGEST.fullmatch(text):
        raise InvalidInput("A digest is not 64 hexadecimal characters.")
    return Digest(text)


def parse_name(text: str) -> str:
    """Read a short name of ours: a dataset, a party, a project.

    At most 64 of a-z, 0-9 and the hyphen, not starting with the hyphen, so
    that it is safe in a path, a URL and a label.

    Raises:
        InvalidInput: the text is spelled otherwise.
    """
    if not _NAME.fullmatch(text):
        raise InvalidInput(
            "A name holds something else than a-z, 0-9 and hyphens, or more than 64 of them.",
            hint="Use a name such as `dcir` or `diabetes-2024`.",
        )
    return text


def instant_text(at: datetime) -> str:
    """Spell a moment the one way that statements and events use: UTC, whole seconds.

    Raises:
        ValueError: `at` has no time zone.

    >>> instant_text(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    '2026-01-02T03:04:05Z'
    """
    if at.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_instant(text: str) -> datetime:
    """Read a moment spelled by `instant_text`, and only that spelling.

    Raises:
        InvalidInput: another spelling, or a moment that does not exist.
    """
    if not _INSTANT.fullmatch(text):
        raise InvalidInput("A moment is not spelled like 2026-01-02T03:04:05Z.")
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise InvalidInput("A moment does not exist in the calendar.") from None


class PartitionKind(StrEnum):
    """What a key pair opens (`docs/protocols.md`, section 2)."""

    DATASET = "dataset"
    PROJECT = "project"
    LANDING = "landing"
    SECRET = "secret"


@dataclass(frozen=True, slots=True, order=True)
class Partition:
    """The unit that one key pair opens.

    kind: what sort of thing it holds.
    name: a dataset, a project, a delivery or a secret, by its short name.
    year: calendar year, for a dataset only; 0 holds the rows that have no year.
    generation: counts key pairs of the same partition, from 1.

    >>> Partition(PartitionKind.DATASET, "dcir", 2023).text
    'dataset/dcir/2023/1'
    """

    kind: PartitionKind
    name: str
    year: int | None = None
    generation: int = 1

    @property
    def text(self) -> str:
        """The one spelling used in labels, envelopes and manifests."""
        year = "" if self.year is None else f"/{self.year}"
        return f"{self.kind}/{self.name}{year}/{self.generation}"


def parse_partition(text: str) -> Partition:
    """Read what `Partition.text` wrote.

    Raises:
        InvalidInput: the text is spelled otherwise.

    >>> parse_partition("project/diabetes/1").name
    'diabetes'
    """
    parts = text.split("/")
    try:
        kind = PartitionKind(parts[0])
        dated = kind is PartitionKind.DATASET
        if len(parts) != (4 if dated else 3):
            raise ValueError
        read = Partition(
            kind, parse_name(parts[1]), int(parts[2]) if dated else None, int(parts[-1])
        )
    except (ValueError, IndexError):
        raise InvalidInput("A partition is not spelled like dataset/dcir/2023/1.") from None
    if read.text != text or read.generation < 1:
        raise InvalidInput("A partition is not spelled like dataset/dcir/2023/1.")
    return read


@runtime_checkable
class TableStream(Protocol):
    """Anything that offers an Arrow stream: a PyArrow table or reader, a Polars frame, a DuckDB relation.

    Read once, in order. The protocol is the Arrow PyCapsule interface.
    """

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Offer the stream as a capsule; called by whoever reads it."""
