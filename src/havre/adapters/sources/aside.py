"""Lines that stay at the holder, as they were: written apart, then given their place as a whole.

A folder that has its place is never changed: the same lines again leave it as it is, and
others (the delivery was mended, or dropped by the hub) move it to a name of its own first.
"""

from __future__ import annotations

import errno
import filecmp
import itertools
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from havre.errors import Unavailable
from havre.ports.sources import SetAsideLine

_PIECE_BYTES = 16 * 1024 * 1024


class AsideFolder:
    """Where one delivery's lines are kept."""

    def __init__(self, place: Path) -> None:
        """Keep lines in `place`, in the end."""
        self._place = place
        self._draft = place.with_name(f".draft-{place.name}")
        self._is_begun = False

    def keep(self, path: str, file: BinaryIO, lines: Sequence[SetAsideLine]) -> None:
        """Copy lines of one file, and say beside them where they were and why."""
        with _failures_named():
            self._begin()
            with (
                (self._draft / f"{path}.lines").open("wb") as kept,
                (self._draft / f"{path}.index.jsonl").open("wb") as index,
            ):
                for line in lines:
                    _copy(file, kept, line)
                    index.write(_index_line(line))
                _flush(kept)
                _flush(index)

    def place(self) -> None:
        """Give what was kept its name."""
        with _failures_named():
            self._begin()
            if self._place.exists() and not _same_files(self._draft, self._place):
                self._place.rename(_free_name(self._place))
            if not self._place.exists() and any(self._draft.iterdir()):
                self._draft.rename(self._place)
            shutil.rmtree(self._draft, ignore_errors=True)
            self._is_begun = False

    def _begin(self) -> None:
        """Start anew: what an attempt before has left unfinished counts for nothing."""
        if not self._is_begun:
            shutil.rmtree(self._draft, ignore_errors=True)
            self._draft.mkdir(parents=True)
            self._is_begun = True


def _same_files(one: Path, other: Path) -> bool:
    names = sorted(path.name for path in one.iterdir())
    if names != sorted(path.name for path in other.iterdir()):
        return False
    same, _, _ = filecmp.cmpfiles(one, other, names, shallow=False)
    return len(same) == len(names)


def _free_name(place: Path) -> Path:
    names: Iterator[Path] = (
        place.with_name(f"{place.name}.earlier-{number}") for number in itertools.count(1)
    )
    return next(name for name in names if not name.exists())


def _index_line(line: SetAsideLine) -> bytes:
    place = {
        "line": line.line,
        "offset": line.offset,
        "reason": line.reason,
        "size_bytes": line.size_bytes,
    }
    return json.dumps(place).encode() + b"\n"


def _copy(source: BinaryIO, target: BinaryIO, line: SetAsideLine) -> None:
    source.seek(line.offset)
    left = line.size_bytes
    while left and (piece := source.read(min(left, _PIECE_BYTES))):
        target.write(piece)
        left -= len(piece)
    target.write(b"\n")


def _flush(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


@contextmanager
def _failures_named() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f"Lines cannot be set aside at the holder: {os.strerror(error.errno or errno.EIO)}.",
            hint="Make room or mend the disk, then run the same command again.",
        ) from None
