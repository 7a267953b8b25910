"""Files that are there whole or not at all, and still there when the machine went down behind them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from havre.errors import Unavailable

_MEND = "Make room or mend the disk, then run the same command again."


def write_whole(path: Path, chunks: Iterable[bytes], *, mode: int = 0o600) -> None:
    """Write beside, flushed, then give the file its name, in place of one that has it.

    mode: of the file; whoever may read it may enter its folder, where that is made.

    Raises:
        OSError: it was not written; see `failures_named`.
    """
    # Who may read may enter: 0600 makes a folder of 0700, 0640 one of 0750.
    path.parent.mkdir(parents=True, exist_ok=True, mode=mode | (mode & 0o444) >> 2)
    draft = path.with_name(path.name + ".part")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    with os.fdopen(os.open(draft, flags, mode), "wb") as file:
        file.writelines(chunks)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    flush_folder(path.parent)


def flush_folder(folder: Path) -> None:
    """Make the names in a folder last."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def failures_named(place: str = "The holder's directory", *, hint: str = _MEND) -> Iterator[None]:
    """Say which place takes nothing, and why.

    Raises:
        Unavailable: a file or folder of it was not written.
    """
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f"{place} takes nothing: {os.strerror(error.errno or 0)}.", hint=hint
        ) from None
