"""A package as a folder on this machine: built beside its name, made durable, then renamed."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from havre.errors import InvalidInput, NotFound, Refused
from havre.ports.package import WrittenFile
from havre.values import Digest

_PIECE_BYTES = 1 << 20
_MOST_SHOWN_CHARACTERS = 100


class FolderPackageWriter:
    """Fills a folder beside `destination`; `seal` renames it.

    An earlier attempt is thrown away: whoever may still need it looks for it first
    (`settled_folder`).
    """

    def __init__(self, destination: Path) -> None:
        self._destination = destination
        self._building = settled_folder(destination)
        if destination.exists():
            raise Refused(
                f"{destination.name} exists already.", hint="Name a folder that does not exist."
            )
        # What an interrupted packing left behind is nobody's: it never had the name.
        shutil.rmtree(self._building, ignore_errors=True)
        self._building.mkdir(parents=True, mode=0o700)

    def settle(self) -> None:
        """Flush every folder: the files are flushed already."""
        for folder in [self._building, *self._building.rglob("*")]:
            if folder.is_dir():
                _sync_folder(folder)
        _sync_folder(self._building.parent)

    def write(self, path: str, chunks: Iterable[bytes]) -> WrittenFile:
        """Put one file in; fsynced before it returns."""
        target = _inside(self._building, path)
        target.parent.mkdir(parents=True, exist_ok=True)
        digest, size = hashlib.sha256(), 0
        try:
            with target.open("xb") as file:
                for chunk in chunks:
                    digest.update(chunk)
                    size += file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
        except FileExistsError:
            raise Refused(f"The package holds {path} already.") from None
        return WrittenFile(path, Digest(digest.hexdigest()), size)

    def seal(self) -> None:
        """Rename the folder to its name."""
        name_settled(self._destination)


def settled_folder(destination: Path) -> Path:
    """Where a package is before it has its name."""
    return destination.with_name(f".{destination.name}.packing")


def name_settled(destination: Path) -> None:
    """Give a settled package its name, and make that durable.

    Raises:
        Refused: something else has the name.
    """
    try:
        settled_folder(destination).rename(destination)
    except OSError:
        raise Refused(
            f"{destination.name} appeared while the package was made; the package waits beside it.",
            hint="Move what is in its place, then run the same command again.",
        ) from None
    _sync_folder(destination.parent)


class FolderPackageReader:
    """Reads a package folder; follows no link."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir() or folder.is_symlink():
            raise NotFound(f"There is no package at {folder.name}.")
        self._folder = folder

    def read(self, path: str) -> Iterator[bytes]:
        """Read one file in pieces of at most 1 MiB."""
        return _pieces(_inside(self._folder, path), path)

    def measure(self) -> Iterator[WrittenFile]:
        """Hash every file, in order of path."""
        for entry in sorted(self._folder.rglob("*")):
            path = entry.relative_to(self._folder).as_posix()
            if entry.is_symlink() or not (entry.is_dir() or entry.is_file()):
                shown = ascii(path)[1:-1][:_MOST_SHOWN_CHARACTERS]
                raise InvalidInput(f"The package holds something that is no file: {shown}.")
            if entry.is_file():
                digest, size = hashlib.sha256(), 0
                for piece in _pieces(entry, path):
                    digest.update(piece)
                    size += len(piece)
                yield WrittenFile(path, Digest(digest.hexdigest()), size)


def _pieces(file_path: Path, shown: str) -> Iterator[bytes]:
    try:
        descriptor = os.open(file_path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        raise NotFound(f"The package holds no file {shown}.") from None
    with os.fdopen(descriptor, "rb") as file:
        while piece := file.read(_PIECE_BYTES):
            yield piece


def _inside(folder: Path, path: str) -> Path:
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts) or "\0" in path or "\\" in path:
        raise InvalidInput("A path leaves the package.")
    if any((folder / "/".join(parts[:depth])).is_symlink() for depth in range(1, len(parts) + 1)):
        raise InvalidInput("A path of the package passes through a link.")
    return folder.joinpath(*parts)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
