"""A custodian's files: written beside their name, fsynced, then renamed; one process at a time."""

from __future__ import annotations

import ctypes
import fcntl
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from havre.errors import Unavailable

# Up to so many files each is flushed by itself: others may be writing to the same disk.
_FEW = 8


def write_durably(path: Path, content: bytes) -> None:
    """Write a private file so that after a crash it is the old one or the new one."""
    make_durably(path.parent)
    beside = path.with_name(f".{path.name}.new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.rename(path)
    sync_folder(path.parent)


def write_all_durably(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write private files into one folder, each the old or the new one after a crash.

    One flush for all of them: a ceremony has thousands.
    """
    make_durably(folder)
    for name, content in contents.items():
        descriptor = os.open(folder / f".{name}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
    _flush_all(folder, [folder / f".{name}.new" for name in contents])
    for name in contents:
        (folder / f".{name}.new").rename(folder / name)
    sync_folder(folder)


def _flush_all(folder: Path, paths: Sequence[Path]) -> None:
    """Have the disk keep files that were just written: the whole file system at once, if it can."""
    if len(paths) > _FEW:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            if ctypes.CDLL(None, use_errno=True).syncfs(descriptor) == 0:
                return
        except AttributeError:
            # Not this system's: file by file then.
            pass
        finally:
            os.close(descriptor)
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def append_durably(path: Path, content: bytes) -> None:
    """Add to the end of a private file; a torn end is for `read_whole_lines` to cut."""
    make_durably(path.parent)
    made = not path.exists()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    if made:
        sync_folder(path.parent)


def make_durably(folder: Path) -> None:
    """Make a private folder, and those above it, so that after a crash they are there."""
    if not folder.is_dir():
        make_durably(folder.parent)
        folder.mkdir(exist_ok=True, mode=0o700)
        sync_folder(folder.parent)


def rename_durably(path: Path, target: Path) -> None:
    """Give a folder its name so that after a crash it has the old one or the new one."""
    path.rename(target)
    sync_folder(target.parent)


def remove_durably(path: Path) -> None:
    """Remove a file so that after a crash it does not come back."""
    path.unlink()
    sync_folder(path.parent)


def remove_folder_durably(folder: Path) -> None:
    """Remove a folder of files; after a crash some or all of it may be there."""
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    sync_folder(folder.parent)


def read_whole_lines(path: Path) -> list[str]:
    """Read the lines of a file that is only appended to, and cut off a last one that was torn.

    A line counts from its newline on: whatever lies after the last newline was
    being written when the process died.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:
        descriptor = os.open(path, os.O_WRONLY)
        try:
            os.ftruncate(descriptor, len(whole))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    return whole.decode("ascii", errors="replace").splitlines()


@contextmanager
def alone(folder: Path, *, party: str) -> Iterator[None]:
    """Keep two processes of one party apart, from reading its state to writing it.

    Raises:
        Unavailable: the state cannot be read or kept, so nothing is answered.
    """
    try:
        descriptor = os.open(folder / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)
    except OSError as error:
        raise Unavailable(
            f"Custodian {party} cannot keep its state: {os.strerror(error.errno or 0)}."
        ) from error


def sync_folder(folder: Path) -> None:
    """Make a rename durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
