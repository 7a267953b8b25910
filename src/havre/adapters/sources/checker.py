"""From delivered text to checked values, batch by batch: `ports.sources.RowChecker`.

Keys first: one pass over the key's columns finds those that repeat (`sources.keys`).
Then the rows are streamed once. A row breaks with its first faulty column, and is set
aside with the bytes it was delivered with. What is held is one batch, whatever the file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain, groupby
from operator import attrgetter

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from havre.adapters.sources.keys import KeysThatRepeat
from havre.adapters.sources.rules import Cells, Flags, TableRules, cell_type, may_stay_encoded
from havre.domain.delivery import LINE_COLUMN, RowCount, RowsUnfit
from havre.domain.schema import TableSchema
from havre.ports.sources import DeliveredFile, SetAsideRow
from havre.streams import kept
from havre.values import TableStream


class ColumnChecker:
    """Checks files with Polars."""

    def check(
        self,
        files: Iterable[DeliveredFile],
        *,
        schema: TableSchema,
        progress: Callable[[int], None],
        aside: Callable[[Sequence[SetAsideRow]], None],
        keys: Callable[[int], None] | None = None,
    ) -> CheckedFiles:
        """Check files of one table."""
        return CheckedFiles(tuple(files), schema, progress=progress, aside=aside, keys=keys)


class CheckedFiles:
    """`ports.sources.CheckedRows`: works while it is read."""

    def __init__(
        self,
        files: Sequence[DeliveredFile],
        schema: TableSchema,
        *,
        progress: Callable[[int], None],
        aside: Callable[[Sequence[SetAsideRow]], None],
        keys: Callable[[int], None] | None = None,
    ) -> None:
        self._files = files
        self._schema = schema
        self._rules = TableRules(schema)
        self._progress = progress
        self._aside = aside
        self._keys_read = keys
        self._rows = 0
        self.counts: dict[tuple[str, str], RowCount] = {}

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Offer the rows that keep every rule; the keys are compared before the first."""
        return self._rows_of(self._judged(self._files)).__arrow_c_stream__(requested_schema)

    def by_delivery(self) -> Iterator[tuple[str, TableStream]]:
        """Offer them delivery by delivery."""
        for delivery, files in groupby(self._files, key=attrgetter("delivery")):
            yield delivery, self._rows_of(self._judged(files))

    def _rows_of(self, judged: Iterator[tuple[Mapping[str, Cells], Flags]]) -> pa.RecordBatchReader:
        first = next(judged, None)
        arrow = self._arrow_schema(first)
        batches = chain([] if first is None else [first], judged)
        return pa.RecordBatchReader.from_batches(
            arrow, kept(_assembled(each, arrow) for each in batches)
        )

    def _arrow_schema(self, first: tuple[Mapping[str, Cells], Flags] | None) -> pa.Schema:
        """The type of each column: what came encoded in the first batch stays encoded in all."""
        fields = []
        for column in self._schema.columns:
            kind = cell_type(column)
            if first and may_stay_encoded(column) and first[0][column.name].places is not None:
                kind = pa.dictionary(pa.int32(), kind)
            fields.append((column.name, kind))
        return pa.schema(fields)

    @cached_property
    def _repeated(self) -> KeysThatRepeat:
        """The keys of all files, compared once."""
        return KeysThatRepeat(
            self._schema.primary_key, self._keys, rows=sum(file.rows for file in self._files)
        )

    def _judged(
        self, files: Iterable[DeliveredFile]
    ) -> Iterator[tuple[Mapping[str, Cells], Flags]]:
        """Read batch after batch: its typed cells, and which of its rows are set aside."""
        repeated = self._repeated
        for file in files:
            received, reasons = 0, Counter[str]()
            for texts in _batches(file):
                cells, broken = self._rules.judge(texts)
                twice = repeated.rows_of(cells)
                if twice is not None:
                    broken |= twice
                if broken.any():
                    reasons += self._set_aside(file, texts, broken)
                received += texts.num_rows
                self._rows += texts.num_rows
                self._progress(self._rows)
                yield cells, broken
            self._note(file, received=received, reasons=reasons)

    def _keys(self) -> Iterator[Mapping[str, Cells]]:
        count = 0
        for file in self._files:
            for texts in _batches(file, columns=self._schema.primary_key):
                count += texts.num_rows
                if self._keys_read:
                    self._keys_read(count)
                yield self._rules.type_cells(texts, self._schema.primary_key)

    def _set_aside(self, file: DeliveredFile, texts: pa.RecordBatch, broken: Flags) -> Counter[str]:
        """Hand over the broken rows of a batch as they were delivered; count their reasons."""
        rows = _spelled(texts, broken)
        reasons = self._rules.reasons(rows).to_list()
        delivered = [
            pl.col(name).fill_null("")
            for name in rows.columns
            if name != LINE_COLUMN and name not in file.constants
        ]
        lines = rows.select(pl.concat_str(delivered, separator=file.delimiter)).to_series()
        self._aside(
            [
                SetAsideRow(file.delivery, file.path, int(number), reason, line.encode())
                for number, reason, line in zip(rows[LINE_COLUMN], reasons, lines, strict=True)
            ]
        )
        return Counter(reasons)

    def _note(self, file: DeliveredFile, *, received: int, reasons: Counter[str]) -> None:
        accepted = received - reasons.total()
        counts = RowCount(received, accepted, dict(sorted(reasons.items())))
        self.counts[file.delivery, file.path] = counts


def _batches(
    file: DeliveredFile, *, columns: Sequence[str] | None = None
) -> Iterator[pa.RecordBatch]:
    """Read a file batch by batch, in order.

    Raises:
        RowsUnfit: it has not the form in which Havre seals a file at its holder.
    """
    for part in file.parts:
        with part(columns=columns) as rows:
            reader = pa.RecordBatchReader.from_stream(rows)
            form = {field.name: _plain_type(field.type) for field in reader.schema}
            line = form.pop(LINE_COLUMN, pa.int64() if columns is not None else None)
            if line != pa.int64() or not all(map(_is_text, form.values())):
                raise _not_sealed_here(file)
            for batch in reader:
                if columns is None and batch[LINE_COLUMN].null_count:
                    raise _not_sealed_here(file)
                try:
                    # Text that is no UTF-8 would be believed by whatever reads it from here on.
                    batch.validate(full=True)
                except pa.ArrowInvalid:
                    raise _not_sealed_here(file) from None
                yield batch


def _is_text(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _plain_type(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _not_sealed_here(file: DeliveredFile) -> RowsUnfit:
    return RowsUnfit(file.delivery, f"{file.path} has not the form in which Havre seals a file")


def _assembled(judged: tuple[Mapping[str, Cells], Flags], arrow: pa.Schema) -> pa.RecordBatch:
    cells, broken = judged
    arrays = [cells[field.name].arrow(field.type) for field in arrow]
    batch = pa.RecordBatch.from_arrays(arrays, schema=arrow)
    return batch.filter(pa.array(~broken)) if broken.any() else batch


def _spelled(texts: pa.RecordBatch, mask: Flags) -> pl.DataFrame:
    """Take some rows, as text."""
    rows = texts.filter(pa.array(mask))
    plain = [
        pc.cast(column, column.type.value_type) if pa.types.is_dictionary(column.type) else column
        for column in rows.columns
    ]
    return pl.DataFrame(pa.table(plain, names=rows.schema.names))
