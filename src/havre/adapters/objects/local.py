"""An object store in a directory of this machine.

`<root>/objects/ab/abcd…` for an object, fanned out by the first two characters
so that no directory grows without bound; `<root>/partial/` for what is being
written. Names are the random ids: the directory says nothing about its content.

The directory may belong to a host that is not trusted: no name is followed
through a symbolic link, and what is not a plain file is refused.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import datetime
from io import RawIOBase
from pathlib import Path
from typing import BinaryIO

from havre.errors import InvalidInput, NotFound, NotGenuine, Unavailable
from havre.ports.objects import Altered, IdTaken, StoredObject
from havre.values import Digest, ObjectId, parse_object_id

_PIECE_BYTES = 1024 * 1024
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class LocalObjects:
    """`ports.objects.ObjectStore` in a directory, for one or several processes."""

    def __init__(self, root: Path) -> None:
        """Use `root`, which is made when it is not there; readable by its owner alone."""
        self._root = root
        for folder in (root, root / "objects", root / "partial"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def put(self, object_id: ObjectId, chunks: Iterable[bytes]) -> StoredObject:
        """Write to a partial file, flush it, then give it its name in one step."""
        parse_object_id(object_id)
        with self._folder("partial") as partial:
            descriptor = self._new_partial(object_id, partial)
            try:
                stored = _write_all(descriptor, chunks, object_id=object_id)
                self._publish(object_id, partial)
            finally:
                os.close(descriptor)
                with suppress(FileNotFoundError):
                    os.unlink(object_id, dir_fd=partial)
        return stored

    @contextmanager
    def open(self, object_id: ObjectId, *, sha256: str | None = None) -> Iterator[BinaryIO]:
        """Open the file without following a link."""
        with self._opened(object_id, sha256) as file:
            yield file

    def get(self, object_id: ObjectId, *, sha256: str | None = None) -> Iterator[bytes]:
        """Read in pieces of 1 MiB."""
        return _pieces(self._opened(object_id, sha256))

    @contextmanager
    def as_file(self, object_id: ObjectId, *, sha256: str | None = None) -> Iterator[str]:
        """Lend the open file by its descriptor, so that nobody swaps it meanwhile."""
        with self.open(object_id, sha256=sha256) as file:
            yield f"/proc/self/fd/{file.fileno()}"

    def batch(self) -> AbstractContextManager[None]:
        """Write at once: the times of files are seen by whoever has the disk."""
        return nullcontext()

    def take_debts(self) -> dict[str, frozenset[ObjectId]]:
        """Nothing: it is one store."""
        return {}

    def list_objects(self) -> Iterator[ObjectId]:
        """Walk the fan-out in order; a foreign name is left out, it is not ours."""
        for folder in sorted((self._root / "objects").iterdir()):
            if len(folder.name) != 2 or folder.is_symlink() or not folder.is_dir():
                continue
            for path in sorted(folder.iterdir()):
                with suppress(InvalidInput):
                    if path.name.startswith(folder.name):
                        yield parse_object_id(path.name)

    def delete(self, object_id: ObjectId) -> None:
        """Unlink the name and flush the directory."""
        parse_object_id(object_id)
        with (
            suppress(NotFound),
            _failures_named(),
            self._folder("objects", object_id[:2]) as folder,
        ):
            os.unlink(object_id, dir_fd=folder)
            os.fsync(folder)

    def sweep(self, live: AbstractSet[ObjectId], *, older_than: datetime) -> tuple[ObjectId, ...]:
        """Compare the file's own time; torn writes older than that go as well."""
        limit = older_than.timestamp()
        for torn in (self._root / "partial").iterdir():
            if torn.lstat().st_mtime < limit:
                torn.unlink(missing_ok=True)
        swept = tuple(
            object_id
            for object_id in self.list_objects()
            if object_id not in live and self._written_before(object_id, limit)
        )
        for object_id in swept:
            self.delete(object_id)
        return swept

    def _written_before(self, object_id: ObjectId, limit: float) -> bool:
        path = self._root / "objects" / object_id[:2] / object_id
        try:
            return path.lstat().st_mtime < limit
        except FileNotFoundError:
            return False

    def _new_partial(self, object_id: ObjectId, partial: int) -> int:
        # A partial file of this id is a torn write of an earlier attempt or a
        # second writer; either way the id is used up (a retry draws a new one).
        with _failures_named():
            return os.open(object_id, _NEW_FILE, 0o400, dir_fd=partial)

    def _publish(self, object_id: ObjectId, partial: int) -> None:
        objects = self._root / "objects"
        with _failures_named(), suppress(FileExistsError):
            (objects / object_id[:2]).mkdir(mode=0o700)
            _flush_folder(objects)
        with _failures_named(), self._folder("objects", object_id[:2]) as folder:
            # A link, unlike a rename, refuses to replace what is there.
            os.link(object_id, object_id, src_dir_fd=partial, dst_dir_fd=folder)
            os.fsync(folder)

    def _opened(self, object_id: ObjectId, sha256: str | None) -> BinaryIO:
        """Open the file; where a hash is given, read it through once and start again."""
        file = os.fdopen(self._descriptor(object_id), "rb")
        try:
            with _failures_named():
                if sha256 is not None and _sha256(file) != sha256:
                    raise Altered(file.tell())
                file.seek(0)
        except BaseException:
            file.close()
            raise
        return file

    def _descriptor(self, object_id: ObjectId) -> int:
        parse_object_id(object_id)
        with _failures_named(), self._folder("objects", object_id[:2]) as folder:
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            descriptor = os.open(object_id, flags, dir_fd=folder)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise _not_a_file()
        return descriptor

    @contextmanager
    def _folder(self, *names: str) -> Iterator[int]:
        """Open a folder below the root, step by step, following no link."""
        descriptor = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for name in names:
                below = os.open(name, _DIRECTORY, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = below
            yield descriptor
        finally:
            os.close(descriptor)


def _write_all(descriptor: int, chunks: Iterable[bytes], *, object_id: ObjectId) -> StoredObject:
    size_bytes, digest = 0, hashlib.sha256()
    # Unbuffered: a failed write is met once, not again when the file is closed.
    with os.fdopen(descriptor, "wb", buffering=0, closefd=False) as file:
        # Only the store's own steps are named as its failures, not the source's.
        for chunk in chunks:
            with _failures_named():
                _write(file, chunk)
            digest.update(chunk)
            size_bytes += len(chunk)
        with _failures_named():
            os.fsync(descriptor)
    return StoredObject(object_id, size_bytes, Digest(digest.hexdigest()))


def _write(file: RawIOBase, chunk: bytes) -> None:
    rest = memoryview(chunk)
    while rest:
        rest = rest[file.write(rest) or 0 :]


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := _read(file):
            yield piece


def _read(file: BinaryIO) -> bytes:
    with _failures_named():
        return file.read(_PIECE_BYTES)


def _sha256(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while piece := file.read(_PIECE_BYTES):
        digest.update(piece)
    return digest.hexdigest()


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, _DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _failures_named() -> Iterator[None]:
    """Turn the operating system's errors into ours; an id is not a secret, a path may be."""
    try:
        yield
    except FileNotFoundError:
        raise NotFound(
            "The object store has no object of this id.",
            hint="Keep it, and restore it from a replica.",
        ) from None
    except FileExistsError:
        raise IdTaken(
            "An object of this id exists or is being written.",
            hint="Write again under a new id and a new key.",
        ) from None
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.EISDIR):
            raise _not_a_file() from None
        raise Unavailable(
            f"The object store does not take or give bytes: {os.strerror(error.errno or 0)}.",
            hint="Mend the disk or make room, then run the same command again.",
        ) from error


def _not_a_file() -> NotGenuine:
    return NotGenuine(
        "Something in the object store is a link or a folder where an object should be.",
        hint="Somebody has changed the store's directory; keep it and tell the operator.",
    )
