"""Files of deliveries, written piece by piece: each table of a delivery is one file per block of people."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from havre.adapters.synthetic.order import FileForm, WrittenFile

DELIMITER = ";"
# The one table whose prices have five decimals.
_LONG_DECIMALS = "ER_PHA_F"


@dataclass
class _Open:
    dataset: str
    table: str
    path: Path
    constants: tuple[tuple[str, str], ...]
    lines: int = 0
    size_bytes: int = 0
    digest: Any = field(default_factory=hashlib.sha256)
    parquet: pq.ParquetWriter | None = None
    last: pl.DataFrame | None = None


class DeliveryFiles:
    """The files that one block of people leaves in all deliveries."""

    def __init__(self, folder: Path, *, form: FileForm, suffix: str) -> None:
        self._folder = folder
        self._form = form
        self._suffix = suffix
        self._open: dict[tuple[str, str], _Open] = {}

    def append(
        self,
        delivery: str,
        table: str,
        rows: pl.DataFrame,
        *,
        dataset: str,
        stem: str = "",
        constants: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """Add rows to a table of a delivery; the first rows say the columns.

        stem: the file's name without its ending; the table's when empty.
        """
        file = self._open.get((delivery, table))
        if file is None:
            path = self._folder / delivery / f"{stem or table}{self._suffix}.{self._form.value}"
            path.parent.mkdir(parents=True, exist_ok=True)
            file = self._open[delivery, table] = _Open(dataset, table, path, constants)
        file.lines += rows.height
        file.last = rows.clear()
        if self._form is FileForm.CSV:
            _append_text(file, rows)
        else:
            _append_rows(file, rows)

    def fill(self, dataset: str) -> None:
        """Give every delivery of a dataset every table that any of them has, be it without rows."""
        of_dataset = {key: file for key, file in self._open.items() if file.dataset == dataset}
        kinds = {table: file for (_, table), file in of_dataset.items()}
        for delivery in dict.fromkeys(delivery for delivery, _ in of_dataset):
            for table, file in kinds.items():
                if (delivery, table) not in self._open and file.last is not None:
                    self.append(delivery, table, file.last, dataset=dataset)

    def close(self) -> list[WrittenFile]:
        """End every file, and say what was written."""
        written = []
        for (delivery, _), file in self._open.items():
            if file.parquet is not None:
                file.parquet.close()
                with file.path.open("rb") as body:
                    file.digest = hashlib.file_digest(body, "sha256")
                file.size_bytes = file.path.stat().st_size
            written.append(
                WrittenFile(
                    delivery=delivery,
                    dataset=file.dataset,
                    path=file.path.name,
                    table=file.table,
                    sha256=file.digest.hexdigest(),
                    size_bytes=file.size_bytes,
                    lines=file.lines,
                    constants=file.constants,
                )
            )
        return written


def _append_text(file: _Open, rows: pl.DataFrame) -> None:
    buffer = io.BytesIO()
    rows.write_csv(
        buffer,
        separator=DELIMITER,
        include_header=file.size_bytes == 0,
        float_precision=5 if file.table == _LONG_DECIMALS else 2,
        quote_style="never",
    )
    body = buffer.getbuffer()
    file.digest.update(body)
    file.size_bytes += len(body)
    with file.path.open("ab") as out:
        out.write(body)


def _append_rows(file: _Open, rows: pl.DataFrame) -> None:
    table = rows.to_arrow(compat_level=pl.CompatLevel.oldest())
    if file.parquet is None:
        file.parquet = pq.ParquetWriter(
            file.path, table.schema, compression="zstd", compression_level=1
        )
    file.parquet.write_table(table)
