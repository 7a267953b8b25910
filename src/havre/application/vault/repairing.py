"""Good bytes over bad or missing ones, never the other way.

The last good copy of an object is never touched: a copy is removed only when it was
read a moment ago and was bad, and while a good one of another replica, read as well,
is open in hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO

from havre.application.vault.scrub_notes import ScrubNotes
from havre.application.vault.survey import Reading, StoreReader
from havre.domain.inventory import Damage, Inventory
from havre.errors import HavreError, Unavailable
from havre.ports.objects import ObjectStore
from havre.values import ObjectId

_PIECE_BYTES = 1024 * 1024


@dataclass(slots=True)
class RepairReport:
    """What was repaired.

    repaired: how many copies, by store and by what had been wrong with them.
    left: what is still wrong, by every store that answers.
    lost: objects of which no store that answers has a good copy; nothing of them was touched.
    away: stores that did not answer, and why.
    never_scrubbed: stores of which only what is missing is known, and not what is bad.
    """

    repaired: dict[str, dict[Damage, int]] = field(default_factory=dict)
    left: dict[str, dict[ObjectId, Damage]] = field(default_factory=dict)
    lost: set[ObjectId] = field(default_factory=set)
    away: dict[str, str] = field(default_factory=dict)
    never_scrubbed: list[str] = field(default_factory=list)
    is_logged: bool = False


class Repair:
    """One repair of all stores."""

    def __init__(
        self, replicas: Mapping[str, ObjectStore], inventory: Inventory, notes: ScrubNotes
    ) -> None:
        """Repair these stores, each by its name."""
        self._replicas = replicas
        self._inventory = inventory
        self._notes = notes
        self._readers = {
            name: StoreReader(name, store, inventory) for name, store in replicas.items()
        }
        self._report = RepairReport()

    def run(self, progress: Callable[[Reading], None]) -> RepairReport:
        """Look at every copy that may be wrong, and replace those that are."""
        suspects = self._suspects()
        pairs = [(name, each) for name, ids in suspects.items() for each in sorted(ids)]
        self._report.left = {name: {} for name in suspects}
        for done, (name, object_id) in enumerate(pairs):
            progress(Reading(name, done, len(pairs), 0, 0))
            self._repair(name, object_id)
        for name, left in self._report.left.items():
            if found := self._notes.find_found(name):
                self._notes.keep_found(name, left, at=found.at)
        return self._report

    def _suspects(self) -> dict[str, set[ObjectId]]:
        """What may be wrong in each store that answers."""
        suspects: dict[str, set[ObjectId]] = {}
        for name, reader in self._readers.items():
            try:
                suspects[name] = reader.find_missing()
            except HavreError as fault:
                self._report.away[name] = fault.message
                continue
            found = self._notes.find_found(name)
            if found is None:
                self._report.never_scrubbed.append(name)
            else:
                suspects[name] |= found.faults.keys() & self._inventory.objects.keys()
        return suspects

    def _repair(self, name: str, object_id: ObjectId) -> None:
        try:
            damage, _ = self._readers[name].examine(object_id)
        except Unavailable:
            damage = Damage.UNREADABLE
        if damage is None:
            return
        sha256 = self._inventory.objects[object_id].sha256
        with self._good_copy(object_id, sha256, elsewhere_than=name) as good:
            if good is None:
                self._report.lost.add(object_id)
            elif damage is not Damage.UNREADABLE and _replace(
                self._replicas[name], object_id, good, sha256=sha256
            ):
                counts = self._report.repaired.setdefault(name, {})
                counts[damage] = counts.get(damage, 0) + 1
                return
        self._report.left[name][object_id] = damage

    @contextmanager
    def _good_copy(
        self, object_id: ObjectId, sha256: str, *, elsewhere_than: str
    ) -> Iterator[BinaryIO | None]:
        """Lend a copy of another replica that was just seen to be good, or null."""
        for name, store in self._replicas.items():
            with ExitStack() as stack:
                try:
                    if name == elsewhere_than:
                        continue
                    file = stack.enter_context(store.open(object_id, sha256=sha256))
                except HavreError:
                    continue
                yield file
                return
        yield None


def _replace(store: ObjectStore, object_id: ObjectId, good: BinaryIO, *, sha256: str) -> bool:
    """Put good bytes in the place of bad ones; returns whether they are there now."""
    try:
        store.delete(object_id)
        store.put(object_id, iter(lambda: good.read(_PIECE_BYTES), b""))
        with store.open(object_id, sha256=sha256):
            return True
    except HavreError:
        return False
