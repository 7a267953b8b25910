"""What a holder sealed by other means than Havre's is refused by name, whatever is in it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pytest

from havre.adapters.sources.checker import ColumnChecker
from havre.domain.delivery import RowsUnfit
from havre.domain.schema import Column, ColumnType, TableSchema
from havre.ports.sources import DeliveredFile
from havre.streams import refusals_heard

SCHEMA = TableSchema(
    name="T",
    dataset="d",
    columns=(Column(name="A"), Column(name="D", type=ColumnType.DATE)),
    primary_key=("A",),
)
TEXT = pa.array(["1"])
BYTES = pa.array([b"\xff"], pa.binary())
LINE = pa.array([2], pa.int64())
NO_UTF8 = pa.Array.from_buffers(pa.string(), 1, BYTES.buffers())


@pytest.mark.parametrize(
    "columns",
    [
        {"_line": LINE, "A": BYTES, "D": TEXT},
        {"_line": LINE, "A": NO_UTF8, "D": TEXT},
        {"_line": LINE, "A": TEXT, "D": NO_UTF8},
        {"_line": LINE, "A": TEXT, "D": pa.array([0], pa.date32())},
        {"_line": LINE, "A": pa.array([["1"]]), "D": TEXT},
        {"_line": TEXT, "A": TEXT, "D": TEXT},
        {"_line": pa.nulls(1, pa.int64()), "A": TEXT, "D": TEXT},
        {"A": TEXT, "D": TEXT},
    ],
)
def test_a_landed_file_that_is_no_text_with_numbers_of_lines_is_refused_by_name(
    columns: dict[str, Any],
) -> None:
    """It ended the ingest as a fault of Havre's own, and nobody heard whose delivery it was."""
    table = pa.table(columns)

    @contextmanager
    def part(*, columns: Collection[str] | None = None) -> Iterator[pa.RecordBatchReader]:
        yield (table if columns is None else table.select(list(columns))).to_reader()

    file = DeliveredFile("its-name", "t.csv", [part], 1, ";")
    rows = ColumnChecker().check(
        [file], schema=SCHEMA, progress=lambda _: None, aside=lambda _: None
    )

    with (
        pytest.raises(RowsUnfit, match="its-name cannot be read"),
        refusals_heard(),
    ):
        pa.table(rows)
