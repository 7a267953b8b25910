"""The lines of a block of text: where each begins, how long it is, and which cannot be split."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from havre.adapters.sources.encodings import TextEncoding

# No line of a table is longer.
MAX_LINE_BYTES = 1024 * 1024

# Lines that are looked at one by one are so many at a time: what is known of one that is no
# row takes some hundred bytes, and a block can be nothing but ends of line.
_MOST_LINES = 2**18

_NEWLINE, _RETURN, _QUOTE, _NUL = 10, 13, 34, 0

Places: TypeAlias = npt.NDArray[np.intp]


def pieces_of(block: bytes) -> Iterator[tuple[int, bytes]]:
    """Cut whole lines into pieces of at most `_MOST_LINES`, each with its place in the block."""
    ends = np.flatnonzero(np.frombuffer(block, dtype=np.uint8) == _NEWLINE)
    cuts = [int(end) + 1 for end in ends[_MOST_LINES - 1 :: _MOST_LINES]]
    if not cuts or cuts[-1] != len(block):
        cuts.append(len(block))
    return zip([0, *cuts], (block[a:b] for a, b in pairwise([0, *cuts])), strict=False)


class Lines:
    """The lines of a block: where each begins and how long it is, ends of line left out."""

    def __init__(self, block: bytes, *, delimiter: int, encoding: TextEncoding) -> None:
        self.block = block
        self._encoding = encoding
        self._bytes = np.frombuffer(block, dtype=np.uint8)
        self._delimiter = delimiter
        self.ends: Places = np.flatnonzero(self._bytes == _NEWLINE)
        self.starts: Places = np.concatenate([np.zeros(1, dtype=np.intp), self.ends[:-1] + 1])
        before = self._bytes[np.maximum(self.ends - 1, 0)]
        self.returned: Any = (before == _RETURN) & (self.ends > self.starts)
        self.lengths: Any = self.ends - self.starts - self.returned

    def faults(self, delimiters: int) -> dict[int, str]:
        """Say which lines cannot be split, and why; the graver reason counts.

        delimiters: how many a line of this file has.
        """
        found = np.flatnonzero(self._bytes == self._delimiter)
        counts = np.searchsorted(found, self.ends) - np.searchsorted(found, self.starts)
        reasons: dict[int, str] = {}
        for lines, reason in (
            (np.flatnonzero(counts < delimiters), "short line"),
            (np.flatnonzero(counts > delimiters), "long line"),
            (np.flatnonzero(self.lengths > MAX_LINE_BYTES), "line too long"),
            (self._with_byte(_QUOTE), "stray quote"),
        ):
            reasons |= dict.fromkeys(map(int, lines), reason)
        return reasons | self.not_text()

    def not_text(self) -> dict[int, str]:
        """Say which lines hold what no line of text holds, and what it is."""
        reasons: dict[int, str] = {}
        for lines, reason in (
            (self._with_inner_return(), "stray carriage return"),
            (self._with_byte(_NUL), "NUL byte"),
            (self._undefined(), self._encoding.reason),
        ):
            reasons |= dict.fromkeys(map(int, lines), reason)
        return reasons

    def without(self, lines: Mapping[int, str]) -> bytes:
        """The block without some of its lines."""
        if not lines:
            return self.block
        pieces, at = [], 0
        for line in sorted(lines):
            pieces.append(self.block[at : self.starts[line]])
            at = int(self.ends[line]) + 1
        return b"".join([*pieces, self.block[at:]])

    def _line_of(self, places: Places) -> Places:
        return np.unique(np.searchsorted(self.ends, places))

    def _with_byte(self, byte: int) -> Places:
        return self._line_of(np.flatnonzero(self._bytes == byte))

    def _with_inner_return(self) -> Places:
        places = np.flatnonzero(self._bytes == _RETURN)
        inner = self._bytes[np.minimum(places + 1, len(self._bytes) - 1)] != _NEWLINE
        return self._line_of(places[inner])

    def _undefined(self) -> Sequence[int] | Places:
        """Find the lines that are no text: one look at all of them, then one for each that is not."""
        if self._encoding.undefined is not None:
            return self._line_of(np.flatnonzero(self._encoding.undefined[self._bytes]))
        bad: list[int] = []
        at = 0
        view = memoryview(self.block)
        while True:
            try:
                str(view[at:], "utf-8")
            except UnicodeDecodeError as fault:
                line = int(np.searchsorted(self.ends, at + fault.start))
                bad.append(line)
                at = int(self.ends[line]) + 1
            else:
                return bad
