"""An object store in a bucket that speaks S3, on anybody's machines.

`<prefix>/objects/<id>` for an object, `<prefix>/partial/<id>` for a claim on an id
that is being written, `<prefix>/havre-store` so that a bucket which vanished and
was made anew is not taken for an empty store.

An object of several parts cannot be written on a condition, so the condition is
on the claim: whoever made it writes alone, and may send the same finished bytes
again after an answer got lost. The object itself appears whole, or not at all.

Reads are cut into ranges, each with its own time limit. Where whole bytes must be
known before the first is lent, they are copied into a file without a name, which
is ciphertext like the object, and gone when it is closed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO, TypedDict

from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    PermissionDeniedError,
    UnauthenticatedError,
)
from obstore.store import S3Store

from havre.crypto.random import new_object_id
from havre.errors import HavreError, InvalidInput, NotFound, Refused, Unavailable
from havre.ports.objects import Altered, IdTaken, StoredObject
from havre.values import Digest, ObjectId, parse_object_id

_PIECE_BYTES = 1024 * 1024
# One part of an upload and one range of a download: large enough that the way there
# and back costs little, small enough that a slow line moves it within the limit.
_PART_BYTES = 16 * 1024 * 1024
_PARTS_AT_ONCE = 4
# Larger than any object of ours: a host that never stops sending fills no disk.
_MAX_OBJECT_BYTES = 64 * 1024 * 1024 * 1024
_MARK = "havre-store"


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where a store is: the endpoint's address, the bucket, and the prefix in it."""

    endpoint: str
    bucket: str
    prefix: str
    region: str


@dataclass(frozen=True, slots=True)
class AccessKey:
    """Who the host takes us for; from the environment or a private file, never shown."""

    key_id: str = field(repr=False)
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a host.

    answer_s: for one request, its bytes included. connect_s: for a connection.
    retries: of one request, within `retry_s` in all.
    """

    answer_s: float = 60.0
    connect_s: float = 10.0
    retries: int = 4
    retry_s: float = 120.0


class _Known(TypedDict):
    """What a host says of an object without sending it."""

    size: int


class S3Objects:
    """`ports.objects.ObjectStore` in a bucket, for one or several processes."""

    def __init__(
        self, bucket: Bucket, *, key: AccessKey, copies: Path, patience: Patience | None = None
    ) -> None:
        """Use a bucket; nothing is asked of the host before it is needed.

        copies: a folder of this machine for copies of ciphertext without a name.
        """
        self._copies = copies
        wait = patience or Patience()
        self._store = S3Store(
            bucket.bucket,
            prefix=bucket.prefix or None,
            endpoint=bucket.endpoint,
            region=bucket.region,
            access_key_id=key.key_id,
            secret_access_key=key.secret,
            virtual_hosted_style_request=False,
            client_options={
                "allow_http": bucket.endpoint.startswith("http://"),
                "timeout": timedelta(seconds=wait.answer_s),
                "connect_timeout": timedelta(seconds=wait.connect_s),
            },
            retry_config={
                "max_retries": wait.retries,
                "retry_timeout": timedelta(seconds=wait.retry_s),
                "backoff": {
                    "init_backoff": timedelta(milliseconds=200),
                    "max_backoff": timedelta(seconds=10),
                    "base": 2,
                },
            },
        )
        self._is_ours = False

    def prepare(self) -> None:
        """Mark an empty place in the bucket as a store of ours; a marked one stays as it is.

        Raises:
            Refused: the host writes over what is there although it was told not to:
                two writers could spoil each other's objects.
            Unavailable: the host does not answer, or does not let us in.
        """
        with suppress(IdTaken):
            self._create(_MARK, b"havre/v1/store\n")
        try:
            self._create(_MARK, b"havre/v1/store\n")
        except IdTaken:
            return
        raise Refused(
            "The store's host writes over an object although it is told not to.",
            hint="Choose a host that honours If-None-Match: * on a PUT.",
        )

    def put(self, object_id: ObjectId, chunks: Iterable[bytes]) -> StoredObject:
        """Claim the id, send the parts, see that the host has as many bytes as were sent."""
        parse_object_id(object_id)
        self._check_ours()
        claim = f"partial/{object_id}"
        self._claim(claim)
        try:
            if self._size(object_id) is not None:
                raise _taken()
            return self._send(object_id, chunks)
        finally:
            # A claim that stays behind uses the id up, and is swept.
            with suppress(HavreError), _failures_named():
                self._store.delete(claim)

    @contextmanager
    def open(self, object_id: ObjectId, *, sha256: str | None = None) -> Iterator[BinaryIO]:
        """Copy the object into a file without a name and lend that."""
        with self._copy(object_id, sha256) as file:
            yield file

    def get(self, object_id: ObjectId, *, sha256: str | None = None) -> Iterator[bytes]:
        """Read range after range; where a hash is given, from a copy that has it."""
        if sha256 is not None:
            return _pieces_of(self._copy(object_id, sha256))
        return self._ranges(object_id, self._size_of(object_id))

    @contextmanager
    def as_file(self, object_id: ObjectId, *, sha256: str | None = None) -> Iterator[str]:
        """Lend the copy by its descriptor."""
        with self.open(object_id, sha256=sha256) as file:
            yield f"/proc/self/fd/{file.fileno()}"

    def batch(self) -> AbstractContextManager[None]:
        """Send at once: `adapters.objects.replicated` holds back."""
        return nullcontext()

    def take_debts(self) -> dict[str, frozenset[ObjectId]]:
        """Nothing: it is one store."""
        return {}

    def list_objects(self) -> Iterator[ObjectId]:
        """List what is under `objects/`; all names are held at once, to put them in order."""
        self._is_ours = False
        self._check_ours()
        yield from sorted(name for name, _ in self._listed("objects"))

    def delete(self, object_id: ObjectId) -> None:
        """Ask the host to remove it; whether it keeps a copy, nobody can know."""
        parse_object_id(object_id)
        with suppress(NotFound), _failures_named():
            self._store.delete(f"objects/{object_id}")

    def sweep(self, live: AbstractSet[ObjectId], *, older_than: datetime) -> tuple[ObjectId, ...]:
        """Believe the host's own times; claims older than that go as well."""
        self._check_ours()
        for name, written_at in self._listed("partial"):
            if written_at < older_than:
                with _failures_named():
                    self._store.delete(f"partial/{name}")
        swept = sorted(
            name
            for name, written_at in self._listed("objects")
            if name not in live and written_at < older_than
        )
        for name in swept:
            self.delete(name)
        return tuple(swept)

    def _check_ours(self) -> None:
        """Make sure that the bucket is the one that was prepared; asked once until it fails."""
        if self._is_ours:
            return
        try:
            with _failures_named():
                self._store.head(_MARK)
        except NotFound:
            raise _not_ours() from None
        self._is_ours = True

    def _claim(self, path: str) -> None:
        """Take an id for this one write.

        A lost answer is asked for again, and the host then says that the claim is
        taken: what it holds tells whether by us.
        """
        ours = new_object_id().encode()
        try:
            self._create(path, ours)
        except IdTaken:
            with _failures_named():
                if bytes(self._store.get(path).bytes()) != ours:
                    raise

    def _create(self, path: str, body: bytes) -> None:
        with _failures_named():
            self._store.put(path, body, mode="create")

    def _send(self, object_id: ObjectId, chunks: Iterable[bytes]) -> StoredObject:
        counted = _Counted(chunks)
        try:
            first = counted.take(_PART_BYTES)
            body = first if counted.ended else chain([first], counted)
            with _failures_named(not_by=counted):
                self._store.put(
                    f"objects/{object_id}",
                    body,
                    chunk_size=_PART_BYTES,
                    max_concurrency=_PARTS_AT_ONCE,
                )
            if self._size(object_id) != counted.size_bytes:
                raise Unavailable(
                    "The store's host took an object and has another number of bytes than it was"
                    " sent.",
                    hint="Write again; if it happens again, leave this host.",
                )
        except BaseException:
            # Perhaps only the answer was lost. The id is ours, so nothing of anybody else goes.
            with suppress(HavreError):
                self.delete(object_id)
            raise
        return counted.stored(object_id)

    def _size(self, object_id: ObjectId) -> int | None:
        try:
            with _failures_named():
                known: _Known = self._store.head(f"objects/{object_id}")
        except NotFound:
            return None
        return known["size"]

    def _size_of(self, object_id: ObjectId) -> int:
        parse_object_id(object_id)
        size_bytes = self._size(object_id)
        if size_bytes is None:
            # Is it the object that is gone, or the bucket?
            self._is_ours = False
            self._check_ours()
            raise _missing()
        if size_bytes > _MAX_OBJECT_BYTES:
            raise Altered(size_bytes)
        return size_bytes

    def _ranges(self, object_id: ObjectId, size_bytes: int) -> Iterator[bytes]:
        for at in range(0, size_bytes, _PART_BYTES):
            wanted = min(_PART_BYTES, size_bytes - at)
            with _failures_named():
                part = self._store.get_range(f"objects/{object_id}", start=at, length=wanted)
            view = memoryview(part)
            for start in range(0, len(view), _PIECE_BYTES):
                yield bytes(view[start : start + _PIECE_BYTES])
            if len(view) != wanted:
                return

    def _copy(self, object_id: ObjectId, sha256: str | None) -> BinaryIO:
        size_bytes = self._size_of(object_id)
        with _room_named():
            file: BinaryIO = TemporaryFile(dir=self._copies)  # noqa: SIM115
        digest = hashlib.sha256()
        try:
            for piece in self._ranges(object_id, size_bytes):
                digest.update(piece)
                with _room_named():
                    file.write(piece)
            with _room_named():
                file.flush()
            if sha256 is not None and digest.hexdigest() != sha256:
                raise Altered(size_bytes)
            file.seek(0)
        except BaseException:
            file.close()
            raise
        return file

    def _listed(self, folder: str) -> Iterator[tuple[ObjectId, datetime]]:
        """List what has a name of ours, with the host's time of writing."""
        with _failures_named():
            for page in self._store.list(folder):
                for known in page:
                    with suppress(InvalidInput):
                        name = parse_object_id(known["path"].rpartition("/")[2])
                        yield name, known["last_modified"]


class _Counted:
    """What is sent, counted on its way; remembers whether it was the source that failed."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._digest = hashlib.sha256()
        self.size_bytes = 0
        self.ended = False
        self.failed = False

    def __iter__(self) -> Iterator[bytes]:
        while not self.ended:
            try:
                chunk = next(self._chunks, None)
            except BaseException:
                self.failed = True
                raise
            if chunk is None:
                self.ended = True
                return
            self._digest.update(chunk)
            self.size_bytes += len(chunk)
            # The library takes no empty piece for the end, and needs none.
            if chunk:
                yield chunk

    def take(self, least_bytes: int) -> bytes:
        """Take chunks until there are this many bytes, or no more."""
        held = bytearray()
        for chunk in self:
            held += chunk
            if len(held) >= least_bytes:
                return bytes(held)
        return bytes(held)

    def stored(self, object_id: ObjectId) -> StoredObject:
        """Say what was sent."""
        return StoredObject(object_id, self.size_bytes, Digest(self._digest.hexdigest()))


def _pieces_of(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(_PIECE_BYTES):
            yield piece


@contextmanager
def _failures_named(*, not_by: _Counted | None = None) -> Iterator[None]:
    """Turn the library's errors into ours; what a host writes into them is not repeated.

    not_by: a source whose own failures pass as they are.
    """
    try:
        yield
    except (BaseError, OSError, ValueError) as error:
        if not_by is not None and not_by.failed:
            raise
        raise _named(error) from None


def _named(error: Exception) -> HavreError:
    said = str(error)
    if isinstance(error, FileNotFoundError) or "NoSuchBucket" in said:
        return _not_ours() if "NoSuchBucket" in said else _missing()
    if isinstance(error, AlreadyExistsError):
        return _taken()
    if isinstance(error, PermissionDeniedError | UnauthenticatedError):
        return Unavailable(
            "The store's host does not let us in: it refuses our access key.",
            hint="Give the right key in the environment or the store's private file.",
        )
    if "timed out" in said or "TimedOut" in said:
        return Unavailable(
            "The store's host did not answer in time.",
            hint="Run the same command again; another replica serves meanwhile.",
        )
    return Unavailable(
        "The store's host cannot be reached, broke off, or gave an answer that is none.",
        hint="Look at the network and the host, then run the same command again.",
    )


@contextmanager
def _room_named() -> Iterator[None]:
    try:
        yield
    except OSError:
        raise Unavailable(
            "There is no room on this machine for a copy of an object.",
            hint="Make room in the hub's private folder, then run the same command again.",
        ) from None


def _taken() -> IdTaken:
    return IdTaken(
        "An object of this id exists or is being written.",
        hint="Write again under a new id and a new key.",
    )


def _missing() -> NotFound:
    return NotFound(
        "The object store has no object of this id.",
        hint="Keep it, and restore it from a replica.",
    )


def _not_ours() -> Unavailable:
    return Unavailable(
        "The store's bucket is gone, or was never prepared as a store.",
        hint="Ask its host; a new one is made ready with `havre store prepare`.",
    )
