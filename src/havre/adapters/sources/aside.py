"""Lines that stay at the holder, as they were: written apart, then given their place as a whole.

Where they are and why is written as they are met, so that no list of them is held; their
bytes are copied when their file was read to its end. A folder that has its place is never
changed: the same lines again leave it as it is, and others (the delivery was mended, or
dropped by the hub) move it to a name of its own first.
"""

from __future__ import annotations

import errno
import filecmp
import hashlib
import itertools
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from havre.errors import Unavailable
from havre.ports.sources import SetAsideLine
from havre.values import Digest

_PIECE_BYTES = 16 * 1024 * 1024


class AsideFolder:
    """Where one delivery's lines are kept; for the eyes of its owner alone."""

    def __init__(self, place: Path) -> None:
        """Keep lines in `place`, in the end."""
        self._place = place
        self._draft = place.with_name(f".draft-{place.name}")

    def recall(self, kept: Mapping[str, Digest]) -> frozenset[str]:
        """Take up what an attempt before has kept of some files, where it is whole; nothing else stays.

        kept: by path, what `keep` has said. Returns the paths whose lines are here.
        """
        with _failures_named():
            here = {path for path, sha256 in kept.items() if self._is_whole(path, sha256)}
            names = {each.name for path in here for each in self._files(path)}
            for each in self._draft.iterdir() if self._draft.is_dir() else ():
                if each.name not in names:
                    each.unlink()
        return frozenset(here)

    def begin(self, path: str) -> None:
        """Forget what was noted of a file before: it is read from its beginning."""
        with _failures_named():
            for each in self._files(path):
                each.unlink(missing_ok=True)

    def note(self, path: str, lines: Iterable[SetAsideLine]) -> None:
        """Write where some lines of a file are, and why; what is held is one line."""
        _, index = self._files(path)
        with _failures_named():
            self._draft.mkdir(parents=True, exist_ok=True, mode=0o700)
            with _appended(index) as file:
                file.writelines(map(_index_line, lines))

    def keep(self, path: str, file: BinaryIO) -> Digest:
        """Copy the lines of a file that were noted, behind each other, and flush both.

        file: opened at its beginning. Returns the hash of what is kept.
        """
        lines, index = self._files(path)
        with _failures_named():
            with _appended(index) as noted, _appended(lines) as kept:
                with index.open("rb") as places:
                    for place in places:
                        _copy(file, kept, json.loads(place))
                _flush(kept)
                _flush(noted)
            _flush_folder(self._draft)
            return self._digest(path)

    def has(self, path: str) -> bool:
        """Say whether any line of a file was noted."""
        return self._files(path)[1].exists()

    def place(self) -> None:
        """Give what was kept its name."""
        with _failures_named():
            self._draft.mkdir(parents=True, exist_ok=True, mode=0o700)
            if self._place.exists() and not _same_files(self._draft, self._place):
                self._place.rename(_free_name(self._place))
            if not self._place.exists() and any(self._draft.iterdir()):
                self._draft.rename(self._place)
                _flush_folder(self._place.parent)
            shutil.rmtree(self._draft, ignore_errors=True)

    def _files(self, path: str) -> tuple[Path, Path]:
        return self._draft / f"{path}.lines", self._draft / f"{path}.index.jsonl"

    def _is_whole(self, path: str, sha256: Digest) -> bool:
        """Whether the draft has these lines; it gets them back where they had their place already."""
        if self._digest(path) == sha256:
            return True
        for each in self._files(path):
            placed = self._place / each.name
            if not placed.is_file():
                return False
            self._draft.mkdir(parents=True, exist_ok=True, mode=0o700)
            each.unlink(missing_ok=True)
            with placed.open("rb") as source, _appended(each) as copy:
                shutil.copyfileobj(source, copy, _PIECE_BYTES)
                _flush(copy)
        return self._digest(path) == sha256

    def _digest(self, path: str) -> Digest:
        both = hashlib.sha256()
        for each in self._files(path):
            try:
                with each.open("rb") as file:
                    both.update(hashlib.file_digest(file, "sha256").digest())
            except FileNotFoundError:
                both.update(b"none")
        return Digest(both.hexdigest())


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


def _copy(source: BinaryIO, target: BinaryIO, place: Mapping[str, int]) -> None:
    source.seek(place["offset"])
    left = place["size_bytes"]
    while left and (piece := source.read(min(left, _PIECE_BYTES))):
        target.write(piece)
        left -= len(piece)
    target.write(b"\n")


def _appended(path: Path) -> BinaryIO:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    return os.fdopen(os.open(path, flags, 0o600), "ab")


def _flush(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _failures_named() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f"Lines cannot be set aside at the holder: {os.strerror(error.errno or errno.EIO)}.",
            hint="Make room or mend the disk, then run the same command again.",
        ) from None
