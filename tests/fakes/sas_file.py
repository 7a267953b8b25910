"""SAS7BDAT files for tests, written by ReadStat's own C writer inside the `pyreadstat` package.

Nobody at SAS made them and Havre's reader did not either: the package offers this
writer to no Python program, but its library has it.
"""

from __future__ import annotations

import ctypes
import importlib.util
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_STRING, _DOUBLE = 0, 5
_ROWS_COMPRESSED = 1
_SINK = ctypes.CFUNCTYPE(ctypes.c_ssize_t, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p)


@dataclass(frozen=True)
class Missing:
    """A missing value of SAS: `.`, or `.A` to `.Z`."""

    tag: str = ""


@dataclass(frozen=True)
class SasColumn:
    """One column: text of so many bytes, or a number when `width` is 0."""

    name: str
    width: int = 0
    format: str = ""


def _library() -> ctypes.CDLL:
    found = importlib.util.find_spec("pyreadstat._readstat_writer")
    assert found is not None
    assert found.origin is not None
    library = ctypes.CDLL(found.origin)
    pointer = ctypes.c_void_p
    library.readstat_writer_init.restype = pointer
    library.readstat_add_variable.restype = pointer
    library.readstat_add_variable.argtypes = [
        pointer,
        ctypes.c_char_p,
        ctypes.c_int,
        ctypes.c_size_t,
    ]
    library.readstat_insert_double_value.argtypes = [pointer, pointer, ctypes.c_double]
    library.readstat_insert_string_value.argtypes = [pointer, pointer, ctypes.c_char_p]
    library.readstat_insert_missing_value.argtypes = [pointer, pointer]
    library.readstat_insert_tagged_missing_value.argtypes = [pointer, pointer, ctypes.c_char]
    library.readstat_variable_set_format.argtypes = [pointer, ctypes.c_char_p]
    library.readstat_set_data_writer.argtypes = [pointer, _SINK]
    library.readstat_begin_writing_sas7bdat.argtypes = [pointer, pointer, ctypes.c_long]
    library.readstat_writer_set_compression.argtypes = [pointer, ctypes.c_int]
    for name in ("begin_row", "end_row", "end_writing", "writer_free"):
        getattr(library, f"readstat_{name}").argtypes = [pointer]
    return library


def write_sas(
    path: Path,
    columns: Sequence[SasColumn],
    rows: Iterable[Sequence[Any]],
    *,
    count: int,
    packed: bool = False,
) -> None:
    """Write a file; a cell is a text, bytes, a number or `Missing`."""
    library = _library()
    with path.open("wb") as file:
        sink = _SINK(lambda at, size, _: file.write(ctypes.string_at(at, size)))
        writer = ctypes.c_void_p(library.readstat_writer_init())
        library.readstat_set_data_writer(writer, sink)
        if packed:
            library.readstat_writer_set_compression(writer, _ROWS_COMPRESSED)
        made = []
        for column in columns:
            kind = _STRING if column.width else _DOUBLE
            one = ctypes.c_void_p(
                library.readstat_add_variable(writer, column.name.encode(), kind, column.width)
            )
            if column.format:
                library.readstat_variable_set_format(one, column.format.encode())
            made.append(one)
        _said(library.readstat_begin_writing_sas7bdat(writer, None, count))
        for row in rows:
            _said(library.readstat_begin_row(writer))
            for one, cell in zip(made, row, strict=True):
                _said(_insert(library, writer, one, cell))
            _said(library.readstat_end_row(writer))
        _said(library.readstat_end_writing(writer))
        library.readstat_writer_free(writer)


def _insert(library: ctypes.CDLL, writer: ctypes.c_void_p, column: Any, cell: Any) -> int:
    if isinstance(cell, Missing) and cell.tag:
        return int(library.readstat_insert_tagged_missing_value(writer, column, cell.tag.encode()))
    if isinstance(cell, Missing):
        return int(library.readstat_insert_missing_value(writer, column))
    if isinstance(cell, float | int):
        return int(library.readstat_insert_double_value(writer, column, float(cell)))
    text = cell if isinstance(cell, bytes) else cell.encode()
    return int(library.readstat_insert_string_value(writer, column, text))


def _said(code: int) -> None:
    assert code == 0, f"ReadStat's writer said {code}"
