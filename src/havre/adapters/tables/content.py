"""The hash `havre/v2/content` of a table's cells: of them alone, whatever the file, the engine or the key.

A column that repeats is hashed as its values, each once, and the place of each row's value among
them: a twentieth of the bytes, and what comes as dictionaries is never spread over the rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from havre.adapters.tables.cells import decoded, value_type
from havre.formats.canonical import encode_canonical
from havre.values import Digest

# A column repeats in a block if its first cells have at most so many different values.
_JUDGED_ROWS = 16_384
_MOST_VALUES = 4096

_SPELLED = frozenset({"text", "bytes", "decimal"})
_BY_VALUES, _CELL_BY_CELL = b"values", b"cells"


class ContentHash:
    """The hash of cells in their order.

    Per column a SHA-256 over blocks of 245,760 rows, or up to the row that brings their texts and
    byte strings to 100,000,000 bytes; each says how it is written. A block repeats if the first 16,384
    of its cells have at most 4,096 different values; fractions never do. `values`: their number as four bytes, the values in ascending order (texts, bytes and
    decimals by the bytes of their spelling), then per row the place of its value, from 0, and
    their number where there is none; places take as many bytes, 1, 2 or 4, as that number needs.
    `cells`: one byte per row, 1 for a cell, 0 for none; then the cells, empty or 0 for none.
    Cells and values alike: for text, bytes and decimals (as text) the lengths as 32-bit
    integers and all the bytes; else one 64-bit number each (integers and truth values; days
    since 1970 for dates, microseconds for moments; IEEE 754 for fractions). All little-endian.
    The result is the SHA-256 of the canonical JSON of names, kinds, column hashes and the number
    of rows. Integer widths and batch sizes change nothing.
    """

    def __init__(self, schema: pa.Schema) -> None:
        self._columns = {
            field.name: (_kind(value_type(field.type)), hashlib.sha256()) for field in schema
        }
        self._rows = 0

    def add(self, block: pa.RecordBatch) -> None:
        """Hash one block, made by `read_blocks` and `whole_block`."""
        self._rows += block.num_rows
        for name, (kind, digest) in self._columns.items():
            for piece in _pieces(block[name], kind):
                digest.update(piece)

    def digest(self) -> Digest:
        """Close the hash."""
        body = encode_canonical(
            {
                "columns": [
                    {"kind": kind, "name": name, "sha256": digest.hexdigest()}
                    for name, (kind, digest) in self._columns.items()
                ],
                "format": "havre/v2/content",
                "rows": self._rows,
            }
        )
        return Digest(hashlib.sha256(body).hexdigest())


def _kind(kind: pa.DataType) -> str:
    types = pa.types
    names = {
        "text": types.is_string,
        "date": types.is_date,
        "moment": types.is_timestamp,
        "fraction": types.is_float64,
        "decimal": types.is_decimal128,
        "bytes": lambda kind: types.is_binary(kind) or types.is_fixed_size_binary(kind),
    }
    return next((name for name, check in names.items() if check(kind)), "integer")


def _pieces(cells: pa.Array, kind: str) -> Iterator[Any]:
    if kind != "fraction" and _repeats(cells):
        encoded = cells if pa.types.is_dictionary(cells.type) else cells.dictionary_encode()
        yield _BY_VALUES
        yield from _by_values(encoded, kind)
        return
    yield _CELL_BY_CELL
    yield _presence(cells)
    yield from _written(_plain(decoded(cells), kind))


def _repeats(cells: pa.Array) -> bool:
    if pa.types.is_dictionary(cells.type):
        if len(cells.dictionary) <= _MOST_VALUES:
            return True
        cells = cells.indices
    different = cells.slice(0, _JUDGED_ROWS).unique()
    return bool(len(different) - different.null_count <= _MOST_VALUES)


def _by_values(cells: pa.DictionaryArray, kind: str) -> Iterator[Any]:
    values = _plain(cells.dictionary, kind)
    order = pc.array_sort_indices(values)
    yield np.uint32(len(values)).astype("<u4").tobytes()
    yield from _written(values.take(order))
    places = np.empty(len(values) + 1, _place_type(len(values)))
    places[np.asarray(order)] = np.arange(len(values))
    places[-1] = len(values)
    indices = cells.indices
    if indices.null_count:
        indices = pc.fill_null(indices, len(values))
    yield places[np.asarray(indices)].data


def _place_type(most: int) -> str:
    return "<u1" if most < 2**8 else "<u2" if most < 2**16 else "<u4"


def _presence(cells: pa.Array) -> bytes:
    if not cells.null_count:
        return b"\x01" * len(cells)
    return np.asarray(pc.is_valid(cells).cast(pa.uint8())).tobytes()


def _plain(cells: pa.Array, kind: str) -> pa.Array:
    """The cells as texts, bytes or 64-bit numbers, which are what is hashed and sorted."""
    if kind in _SPELLED:
        return cells.cast(pa.binary()) if kind == "bytes" else cells.cast(pa.string())
    if kind == "date":
        cells = cells.cast(pa.int32())
    return cells.cast(pa.float64() if kind == "fraction" else pa.int64())


def _written(cells: pa.Array) -> Iterator[Any]:
    """The bytes of cells; one that is null is empty or 0."""
    if cells.null_count:
        cells = pc.fill_null(cells, _NOTHING[cells.type])
    if cells.type in {pa.string(), pa.binary()}:
        offsets: npt.NDArray[np.int32] = np.frombuffer(cells.buffers()[1], np.int32)
        offsets = offsets[cells.offset :][: len(cells) + 1]
        yield np.diff(offsets).astype("<u4", copy=False).data
        if cells.buffers()[2] is not None:
            yield memoryview(cells.buffers()[2])[int(offsets[0]) : int(offsets[-1])]
        return
    yield np.asarray(cells).astype(_NUMBERS[cells.type], copy=False).data


_NOTHING = {pa.string(): "", pa.binary(): b"", pa.int64(): 0, pa.float64(): 0.0}
_NUMBERS = {pa.int64(): "<i8", pa.float64(): "<f8"}
