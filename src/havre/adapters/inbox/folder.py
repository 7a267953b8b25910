"""An inbox in a directory: `ports.inbox.Inbox`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from havre.errors import NotFound, Refused
from havre.ports.objects import ObjectStore
from havre.values import parse_name

_NOTE = "note.json"
_MAX_NOTE_BYTES = 16 * 1024 * 1024


class InboxFolder:
    """One folder per delivery, with its note and its objects."""

    def __init__(self, folder: Path, *, store: Callable[[Path], ObjectStore]) -> None:
        """Use `folder`; `store` opens the objects of one delivery."""
        self._folder = folder
        self._store = store

    def drafts(self, delivery: str) -> ObjectStore:
        """Begin a delivery anew."""
        self._check_free(delivery)
        draft = self._draft(delivery)
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        return self._store(draft / "objects")

    def post(self, delivery: str, note: bytes) -> None:
        """Write the note, then give the folder its name: from then on it is there."""
        self._check_free(delivery)
        draft = self._draft(delivery)
        with (draft / _NOTE).open("wb") as file:
            file.write(note)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(self._place(delivery))
        self._flush()

    def list_deliveries(self) -> list[str]:
        """List what has a note."""
        return sorted(path.parent.name for path in self._folder.glob(f"[!.]*/{_NOTE}"))

    def note(self, delivery: str) -> bytes:
        """Read a note."""
        try:
            with (self._place(delivery) / _NOTE).open("rb") as file:
                return file.read(_MAX_NOTE_BYTES)
        except FileNotFoundError:
            raise NotFound("Nothing was delivered under this name.") from None

    def objects(self, delivery: str) -> ObjectStore:
        """Open a delivery's objects."""
        return self._store(self._place(delivery) / "objects")

    def remove(self, delivery: str) -> None:
        """Remove a delivery: out of sight first, then from the disk."""
        gone = self._folder / f".gone-{parse_name(delivery)}"
        shutil.rmtree(gone, ignore_errors=True)
        try:
            self._place(delivery).rename(gone)
        except FileNotFoundError:
            return
        shutil.rmtree(gone, ignore_errors=True)

    def _check_free(self, delivery: str) -> None:
        if self._place(delivery).exists():
            raise Refused(
                f"A delivery {delivery} waits already.",
                hint="Let the hub take it in, or give this one another name.",
            )

    def _place(self, delivery: str) -> Path:
        return self._folder / parse_name(delivery)

    def _draft(self, delivery: str) -> Path:
        return self._folder / f".draft-{parse_name(delivery)}"

    def _flush(self) -> None:
        handle = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
