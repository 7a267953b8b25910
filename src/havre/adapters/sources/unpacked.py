"""Packed files as streams of text, bounded: gzip and Zstandard, through PyArrow.

Nothing is unpacked to a disk. What is cut short, damaged, or unpacks to more than
was announced ends the delivery: no line of such a file counts.
"""

from __future__ import annotations

import io
from typing import Any, BinaryIO, cast

import pyarrow as pa

from havre.domain.delivery import FileUnreadable
from havre.domain.layout import Layout, Packing

# Tables are text that repeats: 10 to 50 times is common, and 200 would be a table of
# hardly anything. Little files may be what they like.
MOST_TIMES = 200
_FREE_BYTES = 64 * 1024 * 1024
_READ_BYTES = 1024 * 1024


def unpacked(file: BinaryIO, *, path: str, layout: Layout, size_bytes: int) -> BinaryIO:
    """Offer a file's text: itself, or a stream that unpacks it.

    file: opened at its beginning; closed with what comes back.
    size_bytes: of the file as it lies there.
    """
    packing = layout.packing_of(path)
    # A file without a byte is no packed one; it is noted as empty, whatever its name.
    if packing is Packing.NONE or not size_bytes:
        return file
    limit = layout.unpacked_bytes
    raw = _Unpacking(file, packing, path=path, announced=limit, packed=size_bytes)
    return cast("BinaryIO", io.BufferedReader(raw, _READ_BYTES))


class _Unpacking(io.RawIOBase):
    """Reads forward only; a place is a place in the text."""

    def __init__(
        self, file: BinaryIO, packing: Packing, *, path: str, announced: int | None, packed: int
    ) -> None:
        super().__init__()
        self._file = file
        self._stream = pa.CompressedInputStream(pa.PythonFile(file, mode="r"), packing.value)
        self._path = path
        self._announced = announced
        self._most = announced if announced is not None else max(_FREE_BYTES, MOST_TIMES * packed)
        self._at = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Forward."""
        return True

    def tell(self) -> int:
        """The place in the text."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go on to a place that was not read yet."""
        target = offset + (self._at if whence == io.SEEK_CUR else 0)
        if whence == io.SEEK_END or target < self._at:
            raise ValueError("A packed file is read forward.")
        while self._at < target and self._next(min(_READ_BYTES, target - self._at)):
            pass
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Read on."""
        view = memoryview(buffer).cast("B")
        piece = self._next(len(view))
        view[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        """Close the file as well."""
        if not self.closed:
            self._file.close()
        super().close()

    def _next(self, size: int) -> bytes:
        try:
            piece: bytes = self._stream.read(size)
        except (OSError, pa.ArrowInvalid) as fault:
            if getattr(fault, "errno", None) is not None:
                raise
            raise FileUnreadable(
                self._path,
                "it is cut short, damaged or not packed as announced",
                hint="Pack it anew at its source.",
            ) from None
        self._at += len(piece)
        self._check(at_end=not piece and size > 0)
        return piece

    def _check(self, *, at_end: bool) -> None:
        if self._at > self._most and self._announced is None:
            raise FileUnreadable(
                self._path,
                f"it unpacks to more than {MOST_TIMES} times its size",
                hint="If that is right, announce its `unpacked_bytes`.",
            )
        if self._announced is not None and (
            self._at > self._announced or (at_end and self._at < self._announced)
        ):
            raise FileUnreadable(
                self._path,
                f"it does not unpack to the {self._announced} bytes that were announced",
            )
