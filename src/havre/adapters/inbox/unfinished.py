"""A holder's memory of sealed files, one file each: `ports.inbox.UnfinishedDeliveries`."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from havre.errors import Unavailable
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
        draft = kept.with_suffix(".part")
        with _failures_named():
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            place.mkdir(exist_ok=True, mode=0o700)
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
            with os.fdopen(os.open(draft, flags, 0o600), "wb") as file:
                file.write(document)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(kept)
            _flush_folder(place)
            _flush_folder(self._folder)

    def list_kept(self, delivery: str) -> list[bytes]:
        """Read what has its name."""
        with _failures_named():
            return [each.read_bytes() for each in sorted(self._place(delivery).glob("*.json"))]

    def forget(self, delivery: str) -> None:
        """Remove the delivery's folder."""
        with _failures_named():
            place = self._place(delivery)
            if place.exists():
                shutil.rmtree(place)

    def _place(self, delivery: str) -> Path:
        return self._folder / parse_name(delivery)


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
            f"The holder's directory takes nothing: {os.strerror(error.errno or 0)}.",
            hint="Make room or mend the disk, then run the same command again.",
        ) from None
