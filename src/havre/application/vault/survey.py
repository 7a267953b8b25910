"""Reading one store against the inventory, copy by copy, without a key."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from havre.domain.inventory import Damage, Inventory, Listed, judge_copy
from havre.errors import HavreError, NotFound, NotGenuine, Unavailable
from havre.ports.objects import ObjectStore
from havre.values import ObjectId

# A store that fails so often in a row is away, and is not asked for the rest.
_AWAY_AFTER = 3


@dataclass(frozen=True, slots=True)
class Reading:
    """How far a store was read.

    resumed_bytes: of those that were read, how many by an attempt before this one.
    """

    store: str
    objects: int
    of_objects: int
    size_bytes: int
    of_bytes: int
    resumed_bytes: int = 0


@dataclass(slots=True)
class Survey:
    """What was found in one store so far.

    after: the last object that was read, in order of id; empty before the first.
    faults: by object; none is good news.
    away: why the store was not read to its end; empty when it was.
    """

    after: str = ""
    objects: int = 0
    size_bytes: int = 0
    faults: dict[ObjectId, Damage] = field(default_factory=dict)
    away: str = ""

    def note(self, object_id: ObjectId, damage: Damage | None, size_bytes: int) -> None:
        """Note one more copy."""
        self.after = object_id
        self.objects += 1
        self.size_bytes += size_bytes
        if damage is not None:
            self.faults[object_id] = damage


class StoreReader:
    """Reads one store."""

    def __init__(self, name: str, store: ObjectStore, inventory: Inventory) -> None:
        self.name = name
        self._store = store
        self._inventory = inventory
        self._ours: Mapping[str, ObjectId] = {
            each.sha256: object_id for object_id, each in inventory.objects.items()
        }

    def read(self, survey: Survey, *, progress: Callable[[Reading], None]) -> Iterator[Survey]:
        """Read every copy behind the one at which `survey` stands, and note it there.

        Yields after each copy, so that a caller can keep how far it came.
        """
        resumed, total = survey.size_bytes, self._inventory.size_bytes
        objects = sorted(each for each in self._inventory.objects if each > survey.after)
        of_objects = survey.objects + len(objects)
        # Those that failed since the last that did not: faults of theirs, or the store is away.
        failed: list[ObjectId] = []
        for object_id in objects:
            progress(
                Reading(self.name, survey.objects, of_objects, survey.size_bytes, total, resumed)
            )
            try:
                damage, size_bytes = self.examine(object_id)
            except Unavailable as fault:
                failed.append(object_id)
                if len(failed) == _AWAY_AFTER:
                    survey.away = fault.message
                    return
                continue
            _note_failed(survey, failed)
            failed = []
            survey.note(object_id, damage, size_bytes)
            yield survey
        _note_failed(survey, failed)

    def examine(self, object_id: ObjectId) -> tuple[Damage | None, int]:
        """Hash one copy; returns what is wrong with it, and how many bytes it has.

        Raises:
            Unavailable: the store does not answer.
        """
        wanted = self._wanted(object_id)
        digest, size_bytes = hashlib.sha256(), 0
        try:
            for piece in self._store.get(object_id):
                digest.update(piece)
                size_bytes += len(piece)
        except NotFound:
            return Damage.MISSING, 0
        except NotGenuine:
            return Damage.ALTERED, size_bytes
        damage = judge_copy(
            wanted, found_sha256=digest.hexdigest(), found_bytes=size_bytes, ours=self._ours
        )
        return damage, size_bytes

    def count_unlisted(self) -> int | None:
        """How many objects are there that no act lists; null where the store cannot be listed.

        They are being written, or were left by a write that failed, and are swept.
        """
        try:
            return sum(
                1 for each in self._store.list_objects() if each not in self._inventory.objects
            )
        except HavreError:
            return None

    def find_missing(self) -> set[ObjectId]:
        """List what is not there.

        Raises:
            Unavailable: the store does not answer.
        """
        return self._inventory.objects.keys() - set(self._store.list_objects())

    def _wanted(self, object_id: ObjectId) -> Listed:
        return self._inventory.objects[object_id]


def _note_failed(survey: Survey, failed: list[ObjectId]) -> None:
    for object_id in failed:
        survey.note(object_id, Damage.UNREADABLE, 0)
