"""Pseudonymise: the only place that turns one person's number into another.

Three moments (`docs/protocols.md`, section 5), each with a secret of its own that
never meets the others: at the holder, at the hub for the lake, and for one
project's extract. What is done to a column follows from its declared treatment
and from nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from havre.crypto.pseudonym_labels import (
    PROJECT,
    STAGE_1_NIR,
    STAGE_2,
    foreign_label,
    is_sentinel,
    technical_label,
)
from havre.crypto.pseudonyms import pseudonym_of_foreign
from havre.domain.schema import PERSON_TREATMENTS, Column, TableSchema, Treatment
from havre.errors import InvalidInput, Refused
from havre.ports.pseudonymiser import Form, HashedColumn, HashedRows, Pseudonymiser, Reading
from havre.values import TableStream

_PROOF = object()


class NoTreatment(Refused):
    """A column's treatment was never declared, so its table cannot enter the lake."""


@dataclass(frozen=True, slots=True)
class NirCompanions:
    """The columns that are hashed together with a NIR: text AAAAMMJJ, and one digit."""

    birth: str
    sex: str


class PseudonymisedTable:
    """Rows fit for the lake; only `pseudonymise_for_lake` makes one.

    The vault seals nothing else, so that no step can be skipped.
    """

    def __init__(self, schema: TableSchema, rows: HashedRows, *, proof: object) -> None:
        """Refuse to be made anywhere but here.

        Raises:
            TypeError: somebody else tried.
        """
        if proof is not _PROOF:
            raise TypeError("a PseudonymisedTable comes from pseudonymise_for_lake only")
        self.schema = schema
        self.rows = rows


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """The three moments, with the tool that makes them: what the other use cases are given."""

    tool: Pseudonymiser

    def at_holder(self, rows: TableStream, *, schema: TableSchema, secret: bytes) -> HashedRows:
        """See `pseudonymise_at_holder`."""
        return pseudonymise_at_holder(rows, schema=schema, secret=secret, pseudonymiser=self.tool)

    def number_at_holder(self, number: str, *, column: Column, secret: bytes) -> str | None:
        """See `name_at_holder`."""
        return name_at_holder(number, column=column, secret=secret)

    def for_lake(
        self, rows: TableStream, *, schema: TableSchema, secret: bytes
    ) -> PseudonymisedTable:
        """See `pseudonymise_for_lake`."""
        return pseudonymise_for_lake(rows, schema=schema, secret=secret, pseudonymiser=self.tool)

    def for_project(
        self,
        rows: TableStream,
        *,
        schema: TableSchema,
        secret: bytes,
        true_keys: AbstractSet[str] = frozenset(),
    ) -> TableStream:
        """See `pseudonymise_for_project`."""
        return pseudonymise_for_project(
            rows, schema=schema, secret=secret, pseudonymiser=self.tool, true_keys=true_keys
        )


def name_at_holder(number: str, *, column: Column, secret: bytes) -> str | None:
    """Make the stage-1 pseudonym of one number, as `pseudonymise_at_holder` makes it of a column.

    column: of another's pseudonym, where the number stands in the holder's data.

    Returns null for what names nobody: a sentinel, or what is longer or shaped otherwise
    than the column declares.
    """
    trimmed = number.strip()
    shaped = column.pattern is None or re.fullmatch(column.pattern, trimmed)
    fits = column.length is None or len(trimmed) <= column.length
    if is_sentinel(trimmed, column.sentinels) or not (shaped and fits):
        return None
    return pseudonym_of_foreign(trimmed, realm=column.realm, secret=secret)


def pseudonymise_at_holder(
    rows: TableStream,
    *,
    schema: TableSchema,
    secret: bytes,
    pseudonymiser: Pseudonymiser,
    companions: Mapping[str, NirCompanions] | None = None,
) -> HashedRows:
    """Make stage-1 pseudonyms where the numbers are: on the holder's own machine.

    rows: the delivered table, every column as text.
    secret: the holder's own 32 bytes, which the hub never sees.
    companions: by NIR column, what is hashed with it.

    Returns the same rows, every column still text: a person's column holds 32
    hexadecimal characters, or is empty where nobody is named. `malformed` counts
    the numbers that were dropped because they were misspelled.

    Raises:
        InvalidInput: a column is not in the schema, or a NIR column has no companions.
    """
    beside = companions or {}
    columns = [
        _first_stage(column, beside.get(column.name))
        for column in schema.columns
        if column.treatment in PERSON_TREATMENTS
    ]
    plain = set(schema.column_names) - {column.column for column in columns}
    return pseudonymiser.hash_columns(rows, columns=columns, plain=plain, secret=secret)


def pseudonymise_for_lake(
    rows: TableStream, *, schema: TableSchema, secret: bytes, pseudonymiser: Pseudonymiser
) -> PseudonymisedTable:
    """Put the hub's second stage over the holder's, so that neither can go back alone.

    rows: a checked table, person columns as stage 1 left them.
    secret: the stage-2 secret, lent by the custodians for this run.

    Returns rows whose person columns are 16 fixed bytes.

    Raises:
        NoTreatment: naming every column that nobody has declared.
        InvalidInput: a column is not in the schema; a number that stage 1 did
            not make comes late, from the stream.
    """
    undeclared = [c.name for c in schema.columns if c.treatment is Treatment.UNDECLARED]
    if undeclared:
        raise NoTreatment(
            f"Nobody has declared what becomes of {schema.name}: {', '.join(undeclared)}.",
            hint="Declare a treatment for each in the table's schema, then import it again: `havre catalogue import`.",
        )
    columns = [
        HashedColumn(column=column.name, label=STAGE_2, reading=Reading.PSEUDONYM, form=Form.BYTES)
        for column in schema.columns
        if column.treatment in PERSON_TREATMENTS
    ]
    plain = set(schema.column_names) - {column.column for column in columns}
    hashed = pseudonymiser.hash_columns(rows, columns=columns, plain=plain, secret=secret)
    return PseudonymisedTable(schema, hashed, proof=_PROOF)


def pseudonymise_for_project(
    rows: TableStream,
    *,
    schema: TableSchema,
    secret: bytes,
    pseudonymiser: Pseudonymiser,
    true_keys: AbstractSet[str] = frozenset(),
) -> TableStream:
    """Give an extract names, keys and an order of rows that no other project has.

    rows: some of the table's columns, as they are in the lake.
    secret: the project's own 32 bytes.
    true_keys: columns of technical keys that the permit grants as they are.

    Returns rows whose person columns and technical keys are 32 hexadecimal
    characters, in an order that follows from the secret and the rows alone.

    Raises:
        InvalidInput: a column is not in the schema, or a true key is no technical key.
    """
    treat = {
        Treatment.NIR: _project_person,
        Treatment.FOREIGN_PSEUDONYM: _project_person,
        Treatment.TECHNICAL_KEY: _project_key,
    }
    keys = {c.name for c in schema.columns if c.treatment is Treatment.TECHNICAL_KEY}
    if beyond := sorted(true_keys - keys):
        raise InvalidInput(f"These are no technical keys of {schema.name}: {', '.join(beyond)}.")
    columns = [
        treat[column.treatment](column)
        for column in schema.columns
        if column.treatment in treat and column.name not in true_keys
    ]
    plain = set(schema.column_names) - {column.column for column in columns}
    hashed = pseudonymiser.hash_columns(rows, columns=columns, plain=plain, secret=secret)
    return pseudonymiser.shuffle_rows(hashed, secret=secret)


def _first_stage(column: Column, companions: NirCompanions | None) -> HashedColumn:
    if column.treatment is Treatment.NIR:
        if companions is None:
            raise InvalidInput(f"Column {column.name} is a NIR without a birth date and a sex.")
        return HashedColumn(
            column=column.name,
            label=STAGE_1_NIR,
            reading=Reading.NIR,
            form=Form.TEXT,
            sentinels=column.sentinels,
            birth=companions.birth,
            sex=companions.sex,
        )
    return HashedColumn(
        column=column.name,
        label=foreign_label(column.realm),
        reading=Reading.FOREIGN,
        form=Form.TEXT,
        sentinels=column.sentinels,
        length=column.length,
        pattern=column.pattern,
    )


def _project_person(column: Column) -> HashedColumn:
    return HashedColumn(
        column=column.name, label=PROJECT, reading=Reading.PSEUDONYM, form=Form.TEXT
    )


def _project_key(column: Column) -> HashedColumn:
    label = technical_label(column.realm or column.name)
    return HashedColumn(column=column.name, label=label, reading=Reading.KEY, form=Form.TEXT)
