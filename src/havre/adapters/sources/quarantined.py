"""Rows that were set aside, read with Polars: lines of JSON, the delivered line in base64."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property

import polars as pl
import pyarrow as pa

from havre.domain.delivery import LINE_COLUMN
from havre.domain.quarantine import FileLayout, FileName
from havre.errors import InvalidInput
from havre.ports.sources import DeliveredFile, SetAsideRow
from havre.values import TableStream

_SCHEMA = {
    "content": pl.String,
    "delivery": pl.String,
    "line": pl.Int64,
    "path": pl.String,
    "reason": pl.String,
}


class QuarantinedRows:
    """`ports.aside.AsideRows`."""

    def layout(self, file: DeliveredFile) -> FileLayout:
        """Look at the first rows of a file."""
        for part in file.parts:
            with part() as rows:
                reader = pa.RecordBatchReader.from_stream(rows)
                names = [name for name in reader.schema.names if name != LINE_COLUMN]
                for batch in reader:
                    if batch.num_rows:
                        constants = {
                            name: str(batch.column(name)[0].as_py() or "")
                            for name in names
                            if name in file.constants
                        }
                        columns = tuple(name for name in names if name not in constants)
                        return FileLayout(columns, file.delimiter, constants)
        raise ValueError("a file without a row has none that was set aside")

    def read(self, lines: bytes) -> ReadRows:
        """Read one object."""
        try:
            rows = pl.read_ndjson(lines, schema=_SCHEMA)
            text = pl.col("content").str.decode("base64").cast(pl.String)
            return ReadRows(rows.with_columns(text.alias("content")))
        except pl.exceptions.PolarsError:
            raise InvalidInput(
                "An object of rows that were set aside holds something else."
            ) from None


class ReadRows:
    """`ports.aside.AsideRead`."""

    def __init__(self, rows: pl.DataFrame) -> None:
        self._rows = rows

    @cached_property
    def counts(self) -> Mapping[FileName, Mapping[str, int]]:
        """Count by file and reason."""
        found: dict[FileName, Counter[str]] = {}
        grouped = self._rows.group_by("delivery", "path", "reason").len().sort(pl.all())
        for delivery, path, reason, rows in grouped.iter_rows():
            found.setdefault((delivery, path), Counter())[reason] += rows
        return found

    def rows(self, name: FileName | None = None) -> Sequence[SetAsideRow]:
        """Give rows as they were set aside."""
        return _set_aside(self._rows if name is None else self._of(name))

    def cells(
        self, name: FileName, layout: FileLayout, *, columns: Collection[str] | None = None
    ) -> TableStream:
        """Split the lines of one file."""
        fitting = self._of(name).filter(_fits(layout))
        split = pl.col("content").str.split(layout.delimiter)
        cells = fitting.select(
            *(split.list.get(at).alias(column) for at, column in enumerate(layout.columns)),
            *(pl.lit(value).alias(column) for column, value in layout.constants.items()),
            pl.col("line").alias(LINE_COLUMN),
        )
        if columns is not None:
            cells = cells.select(name for name in cells.columns if name in columns)
        table: TableStream = cells.to_arrow()
        return table

    def others(self, name: FileName, layout: FileLayout) -> Sequence[SetAsideRow]:
        """Give the lines that have another number of cells."""
        return _set_aside(self._of(name).filter(~_fits(layout)))

    def _of(self, name: FileName) -> pl.DataFrame:
        delivery, path = name
        return self._rows.filter((pl.col("delivery") == delivery) & (pl.col("path") == path))


def _fits(layout: FileLayout) -> pl.Expr:
    cells = pl.col("content").str.count_matches(layout.delimiter, literal=True) + 1
    return (cells == len(layout.columns)).fill_null(value=False)


def _set_aside(rows: pl.DataFrame) -> list[SetAsideRow]:
    chosen = rows.select("delivery", "path", "line", "reason", "content")
    return [
        SetAsideRow(delivery, path, line, reason, content.encode())
        for delivery, path, line, reason, content in chosen.iter_rows()
    ]
