"""An inbox in a directory: `ports.inbox.Inbox`."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from havre.adapters.inbox.whole import failures_named, flush_folder
from havre.errors import NotFound, Refused
from havre.ports.objects import ObjectStore
from havre.values import ObjectId, parse_name

_NOTE = "note.json"
# Later than any file was written.
_EVER = datetime(9000, 1, 1, tzinfo=UTC)
_MAX_NOTE_BYTES = 16 * 1024 * 1024


class InboxFolder:
    """One folder per delivery, with its note and its objects."""

    def __init__(self, folder: Path, *, store: Callable[[Path], ObjectStore]) -> None:
        """Use `folder`; `store` opens the objects of one delivery."""
        self._folder = folder
        self._store = store

    @contextmanager
    def claim(self, name: str) -> Iterator[bool]:
        """Lock a file of this name: the system lets go of it when its process ends, however."""
        place = self._folder / ".claims" / parse_name(name)
        with _failures_named():
            place.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        is_ours = _is_locked(handle, place)
        try:
            yield is_ours
        finally:
            # Removed while it is locked still: whoever opens it next makes a new one.
            if is_ours:
                place.unlink(missing_ok=True)
            os.close(handle)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Lock the folder itself, and wait for whoever has it."""
        with _failures_named():
            self._folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def drafts(self, delivery: str, *, keep: AbstractSet[ObjectId] = frozenset()) -> ObjectStore:
        """Begin a delivery anew, or go on with some objects of it."""
        self._check_free(delivery)
        draft = self._draft(delivery)
        if not keep:
            shutil.rmtree(draft, ignore_errors=True)
        with _failures_named():
            draft.mkdir(parents=True, exist_ok=True)
            (draft / _NOTE).unlink(missing_ok=True)
            store = self._store(draft / "objects")
        store.sweep(keep, older_than=_EVER)
        return store

    def post(self, delivery: str, note: bytes) -> None:
        """Write the note, then give the folder its name: from then on it is there."""
        self._check_free(delivery)
        draft = self._draft(delivery)
        with _failures_named():
            with (draft / _NOTE).open("wb") as file:
                file.write(note)
                file.flush()
                os.fsync(file.fileno())
            draft.rename(self._place(delivery))
            flush_folder(self._folder)

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


def _is_locked(handle: int, place: Path) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    # Whoever had it may have removed the file between our opening and our locking it: a
    # lock on a file without a name keeps nobody else out.
    try:
        return os.path.samestat(os.fstat(handle), place.stat())
    except FileNotFoundError:
        return False


def _failures_named() -> AbstractContextManager[None]:
    return failures_named(
        "The hub's inbox",
        hint="Its operator makes room or mends it; then run the same command again.",
    )
