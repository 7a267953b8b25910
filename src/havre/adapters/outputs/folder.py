"""Released files in the public site's directory: `ports.outputs.ReleaseShelf`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from havre.errors import Refused
from havre.values import parse_name


class ShelfFolder:
    """One folder per release."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, request: str, files: Mapping[str, bytes]) -> str:
        """Write beside, flush, then give the folder its name."""
        place = self._folder / parse_name(request)
        if place.exists():
            there = {path.name: path.read_bytes() for path in place.iterdir() if path.is_file()}
            if any(there.get(name) != body for name, body in files.items()):
                raise Refused(f"Other files stand under the release {request} already.")
            return str(place)
        draft = self._folder / f".draft-{request}"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        for name, body in files.items():
            with (draft / name).open("xb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
        draft.rename(place)
        return str(place)
