"""Pseudonyms in bulk: whole columns at once, value for value as `crypto.pseudonyms`.

Promised: equal values get equal pseudonyms, empty cells stay empty, rows keep
their order and number, columns that are not named keep their cells. The secret
stands in no query text, no log and no error. No value does either.
What may be repeated: everything; the same secret gives the same result.
What may block: reading a result, as long as the stream that it comes from.
Final errors: `InvalidInput`; it may come late, from the stream, as the error of
the tool that reads it.
Who may call it: `application.pseudonymise`, nobody else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from havre.values import TableStream


class Reading(StrEnum):
    """How a column's cells are read before they are hashed.

    NIR: text with its key, hashed with a birth date and a sex; what does not
        fit becomes empty and is counted.
    FOREIGN: text, trimmed; a sentinel becomes empty, so does, counted, what is
        longer or shaped otherwise than declared.
    PSEUDONYM: 32 hexadecimal characters, or the 16 bytes they mean; anything
        else fails the whole table, because our own earlier stage made it.
    KEY: the canonical text of any type that has one: text, whole number, date.
    """

    NIR = "nir"
    FOREIGN = "foreign"
    PSEUDONYM = "pseudonym"
    KEY = "key"


class Form(StrEnum):
    """What a pseudonym becomes: 32 hexadecimal characters, or 16 fixed bytes."""

    TEXT = "text"
    BYTES = "bytes"


@dataclass(frozen=True, slots=True, kw_only=True)
class HashedColumn:
    """What is done to one column.

    label: what goes in front of the value (`crypto.pseudonym_labels`).
    sentinels: spellings of "nobody" besides those that every realm has.
    length, pattern: what a FOREIGN value must satisfy, or null.
    birth, sex: the columns hashed with a NIR; text AAAAMMJJ, and one digit.
    """

    column: str
    label: str
    reading: Reading
    form: Form
    sentinels: tuple[str, ...] = ()
    length: int | None = None
    pattern: str | None = None
    birth: str = ""
    sex: str = ""


class HashedRows(TableStream, Protocol):
    """The rows with their pseudonyms; read once."""

    @property
    def malformed(self) -> Mapping[str, int]:
        """By column, cells that were not empty, no sentinel, and not well formed.

        Complete when the stream was read to the end.
        """


class Pseudonymiser(Protocol):
    """Makes pseudonyms of whole columns."""

    def hash_columns(
        self,
        stream: TableStream,
        *,
        columns: Sequence[HashedColumn],
        plain: AbstractSet[str],
        secret: bytes,
    ) -> HashedRows:
        """Replace the named columns, keep the plain ones, refuse any other.

        columns: those that the stream lacks are left out: an extract has few.
        secret: 32 bytes.

        Raises:
            InvalidInput: the stream has a column that is neither named nor plain,
                lacks one that is hashed with a NIR, or a cell is not what its
                reading says.
            ValueError: the secret has another length.
        """

    def shuffle_rows(self, stream: TableStream, *, secret: bytes) -> TableStream:
        """Put rows into an order that only the secret explains.

        The order of HMAC-SHA-256 of each row's cells, so it depends on the rows
        and the secret alone, not on the order they came in. The whole table is
        held in memory.
        """
