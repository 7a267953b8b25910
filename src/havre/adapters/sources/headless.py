"""Text whose first line is a row already: what its readers share."""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa

from havre.adapters.sources.delimited import DelimitedRows

_BOM = b"\xef\xbb\xbf"
_NEWLINE = 10


class HeadlessRows(DelimitedRows):
    """`ports.sources.SplitRows` of a file without a line of names."""

    _headers = 0

    @property
    def notes(self) -> tuple[str, ...]:
        """What is unusual: there is no header that could stand alone."""
        return tuple(note for note in super().notes if "header" not in note)

    def _head(self, file: BinaryIO) -> tuple[int, bytes]:
        """Read a byte order mark, if there is one."""
        first = file.read(len(_BOM))
        self._seen["bom"] = self._shape.encoding.is_utf8 and first == _BOM
        return (len(_BOM), b"") if self._seen["bom"] else (0, first)

    def _whole_block(self, block: bytes) -> pa.Table | None:
        """Every block is looked at line by line."""
        return None


def whole_lines(text: bytes) -> Any:
    """Offer the lines of a text in UTF-8 as one column, each with its end; nothing is copied."""
    ends = np.flatnonzero(np.frombuffer(text, dtype=np.uint8) == _NEWLINE)
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), ends + 1])
    return pa.LargeStringArray.from_buffers(len(ends), pa.py_buffer(offsets), pa.py_buffer(text))
