"""One store made of several, each at a host of its own.

An object is kept back as a file of ciphertext until it is complete, and then sent to
every replica: what is sent again is always the same finished bytes. It counts as
written when as many replicas have it as the hub asks for; what the others lack is a
debt, which is named and which repairing pays.

Reading goes from replica to replica, in their order, until one gives the bytes that
were asked for by their hash. What was wrong with those before is said, never hidden.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from heapq import merge
from pathlib import Path
from threading import Lock
from typing import BinaryIO, TypeVar

from havre.errors import HavreError, NotFound, NotGenuine, Unavailable, gravest
from havre.ports.objects import Altered, IdTaken, ObjectStore, StoredObject
from havre.values import Digest, ObjectId, parse_object_id

_PIECE_BYTES = 1024 * 1024
# A host that did not answer is left in peace for a while, so that a write of many
# objects does not wait for it at each of them.
_REST_S = 60.0

# How much a batch holds back before it sends what it has.
_MOST_WAITING_BYTES = 32 * 1024 * 1024 * 1024

_Found = TypeVar("_Found")


@dataclass(slots=True)
class Replica:
    """One of the stores, under its name.

    rests_until: by the monotonic clock; before, it is asked only when nobody else is left.
    """

    name: str
    objects: ObjectStore
    rests_until: float = field(default=0.0, repr=False)


class ReplicatedObjects:
    """`ports.objects.ObjectStore` over several stores."""

    def __init__(
        self,
        replicas: Sequence[Replica],
        *,
        needed: int,
        outgoing: Path,
        warn: Callable[[str], None],
    ) -> None:
        """Write to all of them and read from the first that is right.

        needed: how many replicas must have an object before it counts as written.
        outgoing: a folder of this machine for what is complete and not sent yet.
        warn: told one sentence when a replica was passed over, once for each reason.

        Raises:
            ValueError: more are needed than there are, or none.
        """
        if not 1 <= needed <= len(replicas):
            raise ValueError("between one and all replicas are needed")
        self.replicas = tuple(replicas)
        self._needed = needed
        self._outgoing = outgoing
        self._warn = warn
        self._warned: set[tuple[str, str]] = set()
        self._debts: dict[str, set[ObjectId]] = {}
        self._one_sends = Lock()
        # What the batch that is open holds back; null outside of one.
        self._waiting: dict[ObjectId, StoredObject] | None = None

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Keep objects back as files of ciphertext, then send them in order of id.

        Ids are random, so their order says nothing of what was sealed first, of which
        table, or which is a manifest. Where so much waits that this machine's disk
        would fill, what waits is sent before.
        """
        if self._waiting is not None:
            yield
            return
        self._waiting = {}
        try:
            yield
            self._send_waiting()
        finally:
            for object_id in self._waiting:
                self._kept_back(object_id).unlink(missing_ok=True)
            self._waiting = None

    def take_debts(self) -> dict[str, frozenset[ObjectId]]:
        """What was written since the last call and is not in every replica, by its name."""
        debts, self._debts = self._debts, {}
        return {name: frozenset(ids) for name, ids in sorted(debts.items())}

    def put(self, object_id: ObjectId, chunks: Iterable[bytes]) -> StoredObject:
        """Keep the object back until it is whole, then send it to every replica."""
        path = self._kept_back(parse_object_id(object_id))
        with _room_named():
            path.touch(mode=0o600, exist_ok=False)
        waits = False
        try:
            stored = _spool(path, chunks, object_id=object_id)
            # One object may be put while the source of another is read, on another thread.
            with self._one_sends:
                if self._waiting is None:
                    self._send(path, stored)
                else:
                    self._waiting[object_id] = stored
                    waits = True
        finally:
            if not waits:
                path.unlink(missing_ok=True)
        if waits:
            with self._one_sends:
                self._make_room()
        return stored

    @contextmanager
    def open(self, object_id: ObjectId, *, sha256: str | None = None) -> Iterator[BinaryIO]:
        """Open it in the first replica that has these bytes."""
        with self._lent(object_id, lambda store: store.open(object_id, sha256=sha256)) as file:
            yield file

    def get(self, object_id: ObjectId, *, sha256: str | None = None) -> Iterator[bytes]:
        """Read it from the first replica that has these bytes."""
        return self._first(object_id, lambda store: store.get(object_id, sha256=sha256))

    @contextmanager
    def as_file(self, object_id: ObjectId, *, sha256: str | None = None) -> Iterator[str]:
        """Lend it from the first replica that has these bytes."""
        with self._lent(object_id, lambda store: store.as_file(object_id, sha256=sha256)) as path:
            yield path

    def list_objects(self) -> Iterator[ObjectId]:
        """List what any replica has.

        Raises:
            Unavailable: so many replicas do not answer that an object may be in none
                of the others.
        """
        listed: list[list[ObjectId]] = []
        faults: dict[str, HavreError] = {}
        for replica in self.replicas:
            try:
                listed.append(list(replica.objects.list_objects()))
            except HavreError as fault:
                self._pass_over(replica, fault)
                faults[replica.name] = fault
        if len(faults) >= self._needed:
            raise _none_left("Too few replicas can be listed", faults)
        last: ObjectId | None = None
        for object_id in merge(*listed):
            if object_id != last:
                yield object_id
            last = object_id

    def delete(self, object_id: ObjectId) -> None:
        """Remove it everywhere.

        Raises:
            Unavailable: a replica may still have it; the others have it no more.
        """
        parse_object_id(object_id)
        faults: dict[str, HavreError] = {}
        for replica in self.replicas:
            try:
                replica.objects.delete(object_id)
            except HavreError as fault:
                faults[replica.name] = fault
        if faults:
            raise _none_left("An object could not be removed everywhere", faults)

    def sweep(self, live: AbstractSet[ObjectId], *, older_than: datetime) -> tuple[ObjectId, ...]:
        """Sweep every replica, and what was never sent; each by its own host's times."""
        swept: set[ObjectId] = set()
        faults: dict[str, HavreError] = {}
        for replica in self.replicas:
            try:
                swept |= set(replica.objects.sweep(live, older_than=older_than))
            except HavreError as fault:
                faults[replica.name] = fault
        for path in self._outgoing.iterdir():
            if path.stat().st_mtime < older_than.timestamp():
                path.unlink(missing_ok=True)
        if faults:
            raise _none_left("A store could not be swept", faults)
        return tuple(sorted(swept))

    def _kept_back(self, object_id: ObjectId) -> Path:
        return self._outgoing / object_id

    def _make_room(self) -> None:
        waiting = self._waiting or {}
        if sum(stored.size_bytes for stored in waiting.values()) > _MOST_WAITING_BYTES:
            self._send_waiting()

    def _send_waiting(self) -> None:
        waiting = self._waiting or {}
        for object_id in sorted(waiting):
            path = self._kept_back(object_id)
            self._send(path, waiting[object_id])
            path.unlink()
        waiting.clear()

    def _send(self, path: Path, stored: StoredObject) -> None:
        with ThreadPoolExecutor(len(self.replicas)) as beside:
            sent = beside.map(lambda replica: self._send_to(replica, path, stored), self.replicas)
            faults = dict(zip([each.name for each in self.replicas], sent, strict=True))
        taken = {name for name, fault in faults.items() if isinstance(fault, IdTaken)}
        written = {name for name, fault in faults.items() if fault is None}
        failed = {name: fault for name, fault in faults.items() if fault and name not in taken}
        # Of a write that was cut short, some replicas may have what is now sent anew: the
        # same bytes under the same id complete it, and other bytes spoil nothing.
        same = {name for name in taken if self._has(name, stored)}
        if taken != same or len(written | same) < self._needed:
            self._take_back(written, stored.object_id)
            for fault in faults.values():
                if isinstance(fault, IdTaken) and taken != same:
                    raise fault
            raise _none_left("An object could not be written to enough replicas", failed)
        for name in failed:
            self._debts.setdefault(name, set()).add(stored.object_id)
        if taken:
            raise IdTaken("An object of this id is in the store already.")

    def _send_to(self, replica: Replica, path: Path, stored: StoredObject) -> HavreError | None:
        """Send to one replica; returns what was wrong, or null when it has the object now."""
        if self._is_resting(replica):
            return Unavailable("It did not answer a moment ago.")
        try:
            taken = replica.objects.put(stored.object_id, _pieces(path))
        except IdTaken as fault:
            return fault
        except HavreError as fault:
            self._pass_over(replica, fault)
            return fault
        if taken.sha256 != stored.sha256:
            return Altered(taken.size_bytes)
        return None

    def _has(self, name: str, stored: StoredObject) -> bool:
        (store,) = (each.objects for each in self.replicas if each.name == name)
        try:
            with store.open(stored.object_id, sha256=stored.sha256):
                return True
        except HavreError:
            return False

    def _take_back(self, names: AbstractSet[str], object_id: ObjectId) -> None:
        """Remove what this very write has put; what cannot be removed is an orphan, and swept."""
        for replica in self.replicas:
            if replica.name in names:
                with suppress(HavreError):
                    replica.objects.delete(object_id)

    @contextmanager
    def _lent(
        self, object_id: ObjectId, lend: Callable[[ObjectStore], AbstractContextManager[_Found]]
    ) -> Iterator[_Found]:
        with ExitStack() as stack:
            yield self._first(object_id, lambda store: stack.enter_context(lend(store)))

    def _first(self, object_id: ObjectId, act: Callable[[ObjectStore], _Found]) -> _Found:
        parse_object_id(object_id)
        faults: dict[str, HavreError] = {}
        # Those that rest are asked all the same, when nobody else has it.
        for replica in sorted(self.replicas, key=self._is_resting):
            try:
                found = act(replica.objects)
            except HavreError as fault:
                faults[replica.name] = fault
                continue
            for name, passed in faults.items():
                self._say(name, f"{passed.message} Another replica gave it.")
            return found
        if all(isinstance(fault, NotFound) for fault in faults.values()):
            raise next(iter(faults.values()))
        raise _none_left("No replica gives an object as it was written", faults)

    def _is_resting(self, replica: Replica) -> bool:
        return time.monotonic() < replica.rests_until

    def _pass_over(self, replica: Replica, fault: HavreError) -> None:
        if isinstance(fault, Unavailable):
            replica.rests_until = time.monotonic() + _REST_S
        self._say(replica.name, fault.message)

    def _say(self, name: str, what: str) -> None:
        if (name, what) not in self._warned:
            self._warned.add((name, what))
            self._warn(f"Store {name}: {what}")


def _spool(path: Path, chunks: Iterable[bytes], *, object_id: ObjectId) -> StoredObject:
    digest, size_bytes = hashlib.sha256(), 0
    with path.open("wb") as file:
        for chunk in chunks:
            digest.update(chunk)
            size_bytes += len(chunk)
            with _room_named():
                file.write(chunk)
        with _room_named():
            file.flush()
    return StoredObject(object_id, size_bytes, Digest(digest.hexdigest()))


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            yield piece


@contextmanager
def _room_named() -> Iterator[None]:
    try:
        yield
    except FileExistsError:
        raise IdTaken("An object of this id is being written.") from None
    except OSError:
        raise Unavailable(
            "There is no room on this machine for an object that is to be sent.",
            hint="Make room in the hub's private folder, then run the same command again.",
        ) from None


def _none_left(what: str, faults: dict[str, HavreError]) -> HavreError:
    """Say what became of each replica; one that is not genuine makes it so for all."""
    told = " ".join(f"{name}: {fault.message}" for name, fault in faults.items())
    worst = gravest(faults.values())
    kind = NotGenuine if isinstance(worst, NotGenuine) else Unavailable
    return kind(f"{what}. {told}", hint=worst.hint)
