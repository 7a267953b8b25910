"""Seizing directories: `ports.seizure.Seizure`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from havre.errors import NotFound
from havre.ports.seizure import SeizedFile

_PIECE_BYTES = 1 << 20


class SeizedFolders:
    """Some directories, each under a name."""

    def __init__(self, places: Mapping[str, Path]) -> None:
        self._places = places

    def list_files(self) -> Iterator[SeizedFile]:
        """Walk every directory; a link is not followed, what it says is its content."""
        for place, folder in self._places.items():
            for root, folders, names in os.walk(folder):
                # In order, and a link to a folder is a link: it is not walked into.
                folders.sort()
                linked = [name for name in folders if (Path(root) / name).is_symlink()]
                for name in sorted([*names, *linked]):
                    path = Path(root) / name
                    if path.is_symlink() or path.is_file():
                        shown = str(path.relative_to(folder))
                        yield SeizedFile(place, shown, path.lstat().st_size)

    def read(self, file: SeizedFile) -> Iterator[bytes]:
        """Read one file."""
        path = self._places[file.place] / file.name
        if path.is_symlink():
            yield os.fsencode(path.readlink())
            return
        try:
            with path.open("rb") as opened:
                while piece := opened.read(_PIECE_BYTES):
                    yield piece
        except FileNotFoundError:
            raise NotFound("A seized file vanished while it was read.") from None
