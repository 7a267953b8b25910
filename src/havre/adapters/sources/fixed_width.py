"""Text of fixed width: where a column begins and how wide it is, the announcement says.

Every line has exactly the characters up to the end of the last column: one that is
shorter or longer was cut or shifted, and is set aside. Spaces around a cell are padding.
A file has no first line of names: its first line is a row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, BinaryIO

import numpy as np
import polars as pl
import pyarrow as pa

from havre.adapters.sources.delimited import Shape
from havre.adapters.sources.encodings import TextEncoding
from havre.adapters.sources.headless import HeadlessRows, whole_lines
from havre.adapters.sources.lines import MAX_LINE_BYTES, Lines
from havre.domain.layout import FixedColumn
from havre.ports.sources import SetAsideLine


class FixedWidthRows(HeadlessRows):
    """`ports.sources.SplitRows`: works while it is read."""

    def __init__(
        self,
        opened: Callable[[], BinaryIO],
        shape: Shape,
        *,
        aside: Callable[[Iterable[SetAsideLine]], None],
        columns: Sequence[FixedColumn],
    ) -> None:
        """Read a file.

        aside: as in `DelimitedRows`.
        columns: as announced, in the order of the shape's header.
        """
        super().__init__(opened, shape, aside=aside)
        self._characters = max(each.start + each.width for each in columns) - 1
        self._places = {
            name: each
            for name, each in zip(shape.header, columns, strict=True)
            if name in shape.kept
        }

    def _split(self, lines: Lines) -> tuple[pa.Table, dict[int, str]]:
        sizes = _characters(lines, self._shape.encoding)
        reasons: dict[int, str] = {}
        for found, reason in (
            (np.flatnonzero(sizes < self._characters), "short line"),
            (np.flatnonzero(sizes > self._characters), "long line"),
            (np.flatnonzero(lines.lengths > MAX_LINE_BYTES), "line too long"),
        ):
            reasons |= dict.fromkeys(map(int, found), reason)
        reasons |= lines.not_text()
        return self._cut(self._shape.encoding.utf8(lines.without(reasons))), reasons

    def _cut(self, text: bytes) -> pa.Table:
        """Take the columns out of whole lines, all of the right size."""
        lines = pl.Series("line", whole_lines(text))
        return (
            lines.to_frame()
            .select(
                pl.col("line")
                .str.slice(place.start - 1, place.width)
                .str.strip_chars(" ")
                .alias(name)
                for name, place in self._places.items()
            )
            .to_arrow()
            .cast(pa.schema([(name, pa.string()) for name in self._places]))
        )


def _characters(lines: Lines, encoding: TextEncoding) -> Any:
    """Count the characters of every line; of one that is no text, its bytes or fewer."""
    if not encoding.is_utf8 or lines.block.isascii():
        return lines.lengths
    every = np.frombuffer(lines.block, dtype=np.uint8)
    # In UTF-8 every byte begins a character but those of the form 10xxxxxx.
    before = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum((every & 0xC0) != 0x80)])
    return before[lines.starts + lines.lengths] - before[lines.starts]
