"""Looking after the copies: every replica against the inventory, and good bytes over bad ones.

No key is used, and nothing is opened. What a copy must be comes from the inventory,
which was proved against the log; so a store that swaps, cuts, empties, forgets or
rolls back objects is found out by hashing what it gives.

Scrubbing a store takes as long as reading it. It notes how far it came, and goes on
from there after it was cut short.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from havre.application.audit import PublicLog
from havre.application.journal import Journal
from havre.application.vault.inventory import read_inventory
from havre.application.vault.repairing import Repair, RepairReport
from havre.application.vault.scrub_notes import BegunScrub, ScrubNotes
from havre.application.vault.survey import Reading, StoreReader, Survey
from havre.crypto.random import new_object_id
from havre.domain.events import CopiesCounted
from havre.domain.handover import HandedOver
from havre.domain.inventory import Inventory
from havre.errors import Refused, Unavailable
from havre.ports.clock import Clock
from havre.ports.objects import ORPHAN_DAYS, ObjectStore
from havre.ports.records import Records
from havre.values import ObjectId

# So often is noted how far a scrub came: what is read twice when it is killed.
_NOTED_EVERY = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class StoreFound:
    """What was found in one store.

    unlisted: objects that no act lists; null where the store could not be listed.
    """

    store: str
    survey: Survey
    unlisted: int | None


@dataclass(frozen=True, slots=True)
class UpkeepReport:
    """What was found in all stores that were looked at.

    is_logged: whether the log says so; not while too few witnesses answer, nor of a
        hub that has left.
    """

    inventory: Inventory
    stores: tuple[StoreFound, ...]
    is_logged: bool = False

    @property
    def lost(self) -> tuple[ObjectId, ...]:
        """Objects of which no store that was read has a good copy."""
        read = [each.survey.faults.keys() for each in self.stores if not each.survey.away]
        return tuple(sorted(set(read[0]).intersection(*read[1:]))) if read else ()


class Upkeep:
    """Looks after the stores of one hub."""

    def __init__(
        self,
        replicas: Mapping[str, ObjectStore],
        *,
        journal: Journal,
        log: PublicLog,
        records: Records,
        clock: Clock,
    ) -> None:
        """Look after these stores, each by its name."""
        self._replicas = replicas
        self._journal = journal
        self._log = log
        self._records = records
        self._notes = ScrubNotes(records)
        self._clock = clock

    def check(self, names: Iterable[str], *, progress: Callable[[Reading], None]) -> UpkeepReport:
        """Hash every copy in these stores; nothing is kept, and nothing goes on the log.

        Raises:
            NotGenuine: the inventory is not what the log commits to.
        """
        inventory = read_inventory(self._records, log=self._log)
        found = []
        for name in names:
            reader, survey = self._reader(name, inventory), Survey()
            for _ in reader.read(survey, progress=progress):
                pass
            found.append(StoreFound(name, survey, reader.count_unlisted()))
        return UpkeepReport(inventory, tuple(found))

    def scrub(self, names: Iterable[str], *, progress: Callable[[Reading], None]) -> UpkeepReport:
        """Hash every copy in these stores, going on where an attempt before was cut short.

        What was found is kept for `repair`, and counted on the log.

        Raises:
            NotGenuine: the inventory is not what the log commits to.
        """
        inventory = read_inventory(self._records, log=self._log)
        found = tuple(self._scrub(name, progress) for name in names)
        counted = {each.store: len(each.survey.faults) for each in found if not each.survey.away}
        is_logged = self._count("scrub", len(inventory.objects), counted)
        return UpkeepReport(inventory, found, is_logged)

    def begin_anew(self, names: Iterable[str]) -> None:
        """Forget how far scrubs came that were cut short."""
        for name in names:
            self._notes.forget_begun(name)

    def repair(self, *, progress: Callable[[Reading], None]) -> RepairReport:
        """Put good bytes, from a replica that has them, where they are missing or bad.

        What is missing is found now; what is bad was found by scrubbing, and is looked
        at again before anything is done. A copy is removed only when it was just seen
        to be bad, and while a good one of another replica is in hand.

        Raises:
            Refused: there is one store only.
            NotGenuine: the inventory is not what the log commits to.
        """
        if len(self._replicas) < 2:
            raise Refused(
                "There is one store only, and nothing to repair it from.",
                hint="Name a second one in havre.toml as [[stores]].",
            )
        inventory = read_inventory(self._records, log=self._log)
        report = Repair(self._replicas, inventory, self._notes).run(progress)
        counted = {name: len(faults) for name, faults in report.left.items()}
        report.is_logged = self._count("repair", len(inventory.objects), counted)
        return report

    def sweep(self, names: Iterable[str]) -> dict[str, int]:
        """Remove from stores what no act lists and what has lain there for `ORPHAN_DAYS`.

        Such objects were left by a write that nobody finished. A write that takes longer
        than these days must not be swept meanwhile. Returns how many went, by store.

        Raises:
            Refused: some acts have no list, and nobody can say which objects are theirs.
            NotGenuine: the inventory is not what the log commits to.
            Unavailable: a store does not answer.
        """
        inventory = read_inventory(self._records, log=self._log)
        if inventory.unlisted:
            raise Refused(
                f"{inventory.unlisted} acts from before there were lists have none.",
                hint="Nobody can say which objects are theirs: nothing is removed.",
            )
        limit = self._clock.now() - timedelta(days=ORPHAN_DAYS)
        live = inventory.objects.keys()
        return {name: len(self._replicas[name].sweep(live, older_than=limit)) for name in names}

    # ------------------------------------------------------------------ scrubbing

    def _reader(self, name: str, inventory: Inventory) -> StoreReader:
        return StoreReader(name, self._replicas[name], inventory)

    def _scrub(self, name: str, progress: Callable[[Reading], None]) -> StoreFound:
        begun = self._notes.find_begun(name) or BegunScrub(self._log_size(), Survey())
        # What was written since it began is scrubbed next time.
        inventory = read_inventory(self._records, log=self._log, size=begun.log_size)
        reader, noted_at = self._reader(name, inventory), self._clock.now()
        try:
            for _ in reader.read(begun.survey, progress=progress):
                if self._clock.now() - noted_at > _NOTED_EVERY:
                    self._notes.keep_begun(name, begun)
                    noted_at = self._clock.now()
        finally:
            self._notes.keep_begun(name, begun)
        if not begun.survey.away:
            self._notes.keep_found(name, begun.survey.faults, at=self._clock.now())
            self._notes.forget_begun(name)
        return StoreFound(name, begun.survey, reader.count_unlisted())

    def _log_size(self) -> int:
        head = self._log.head()
        return head.size if head else 0

    def _count(self, occasion: str, objects: int, lacking: dict[str, int]) -> bool:
        """Say on the log how many copies are bad; returns whether it is there."""
        if not lacking:
            return False
        counted = CopiesCounted(
            event_id=new_object_id(),
            at=self._clock.now(),
            occasion=occasion,
            objects=objects,
            lacking=lacking,
        )
        try:
            self._journal.record(counted)
        except (HandedOver, Unavailable):
            # The stores are what matters: of a hub that left the log takes nothing, and
            # what too few witnesses saw goes out with the next act.
            return False
        return True
