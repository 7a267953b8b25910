"""A pseudonymiser that calls the definition for each cell; passes the suite of the port."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import pyarrow as pa

from havre.crypto.nir import normalise_nir
from havre.crypto.pseudonym_labels import PSEUDONYM_PATTERN, ROW_ORDER, hmac_key, is_sentinel
from havre.errors import InvalidInput
from havre.ports.pseudonymiser import Form, HashedColumn, Reading
from havre.values import TableStream


class NaiveRows:
    """Rows whose counts are complete from the start."""

    def __init__(self, table: pa.Table, malformed: Mapping[str, int]) -> None:
        self._table = table
        self.malformed = malformed

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)


class NaivePseudonymiser:
    """One Python call for each cell."""

    def hash_columns(
        self,
        stream: TableStream,
        *,
        columns: Sequence[HashedColumn],
        plain: AbstractSet[str],
        secret: bytes,
    ) -> NaiveRows:
        table = pa.table(stream)
        if set(table.column_names) - {column.column for column in columns} - plain:
            raise InvalidInput("No treatment is declared for a column.")
        malformed: Counter[str] = Counter()
        for column in columns:
            malformed[column.column] = 0
            if column.column not in table.column_names:
                continue
            if not {column.birth, column.sex} - {""} <= set(table.column_names):
                raise InvalidInput("The table lacks a column.")
            hashed = []
            for row in table.to_pylist():
                message = _message(row, column, malformed)
                hashed.append(message and _hashed(column.label + message, secret))
            place = table.column_names.index(column.column)
            table = table.set_column(place, column.column, _spelled(hashed, column))
        return NaiveRows(table, malformed)

    def shuffle_rows(self, stream: TableStream, *, secret: bytes) -> TableStream:
        table = pa.table(stream)
        rows = table.to_pylist()
        order = sorted(range(len(rows)), key=lambda n: _hashed(ROW_ORDER + _text(rows[n]), secret))
        shuffled: TableStream = table.take(pa.array(order, pa.int64()))
        return shuffled


def _hashed(message: str, secret: bytes) -> str:
    return hmac.new(hmac_key(secret).encode(), message.encode(), hashlib.sha256).hexdigest()


def _text(row: Mapping[str, Any]) -> str:
    cells = [cell.hex() if isinstance(cell, bytes) else cell for cell in row.values()]
    return "\x1f".join("\x00" if cell is None else str(cell) for cell in cells)


def _spelled(hashed: list[str | None], column: HashedColumn) -> pa.Array:
    short = [text and text[:32] for text in hashed]
    if column.form is Form.TEXT:
        return pa.array(short, pa.string())
    return pa.array([text and bytes.fromhex(text) for text in short], pa.binary(16))


def _message(row: Mapping[str, Any], column: HashedColumn, malformed: Counter[str]) -> str | None:
    cell = row[column.column]
    if cell is None:
        return None
    match column.reading:
        case Reading.KEY:
            return str(cell)
        case Reading.PSEUDONYM:
            text = cell.hex() if isinstance(cell, bytes) else str(cell)
            if not re.fullmatch(PSEUDONYM_PATTERN, text):
                raise InvalidInput("1 cells are not pseudonyms of the stage before.")
            return text
    if is_sentinel(cell, column.sentinels):
        return None
    message = _nir(row, column) if column.reading is Reading.NIR else _foreign(cell, column)
    malformed[column.column] += message is None
    return message


def _nir(row: Mapping[str, Any], column: HashedColumn) -> str | None:
    birth, sex = row[column.birth] or "", row[column.sex] or ""
    if not re.fullmatch("[0-9]{8}", birth) or not re.fullmatch("[0-9]", sex):
        return None
    try:
        return normalise_nir(row[column.column]) + birth + sex
    except InvalidInput:
        return None


def _foreign(cell: str, column: HashedColumn) -> str | None:
    trimmed = cell.strip()
    if column.length is not None and len(trimmed) > column.length:
        return None
    if column.pattern is not None and not re.fullmatch(column.pattern, trimmed):
        return None
    return trimmed
