"""A holder's memory of sealed files, one file each: `ports.inbox.UnfinishedDeliveries`."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from havre.adapters.inbox.whole import failures_named, flush_folder, write_whole
from havre.values import parse_name


class UnfinishedFolder:
    """Remembers in a directory of the holder's own, which only its owner can read."""

    def __init__(self, folder: Path) -> None:
        """Use `folder`, which is made when it is not there."""
        self._folder = folder

    def keep(self, delivery: str, path: str, document: bytes) -> None:
        """Write beside, flushed, then give it its name."""
        place = self._place(delivery)
        kept = place / f"{hashlib.sha256(path.encode()).hexdigest()}.json"
        with failures_named():
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_whole(kept, [document])
            flush_folder(self._folder)

    def list_kept(self, delivery: str) -> list[bytes]:
        """Read what has its name."""
        with failures_named():
            return [each.read_bytes() for each in sorted(self._place(delivery).glob("*.json"))]

    def forget(self, delivery: str) -> None:
        """Remove the delivery's folder."""
        with failures_named():
            place = self._place(delivery)
            if place.exists():
                shutil.rmtree(place)

    def _place(self, delivery: str) -> Path:
        return self._folder / parse_name(delivery)
