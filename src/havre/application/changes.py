"""A correction at work: what it takes back, what is opened again to compare, what it touches.

The rows that go are known by their objects, exactly. Which rows changed is found by
checking both deliveries as they landed, each by itself, and comparing what passes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from havre.application.audit import PublicLog
from havre.application.corrections import DeliveryBook
from havre.application.ingest_run import DatasetRun, IngestTools
from havre.application.waiting import ReceivedDeliveries, WaitingDelivery
from havre.domain.catalogue_text import KnownTables
from havre.domain.change_report import Correction, RowChanges, TableChange
from havre.domain.correcting import check_opened_again
from havre.domain.delivery_note import DeliveryNote
from havre.domain.schema import TableSchema
from havre.domain.version_objects import PlacedObject
from havre.errors import Held, Refused
from havre.ports.counting import RowCounter
from havre.ports.sources import CheckedRows
from havre.values import ObjectId

KIND_CHANGES = "change-report"


class WaitsForCorrected(Held):
    """A correction of what itself waits: it comes in with the next run."""

    def __init__(self, corrects: str) -> None:
        super().__init__(
            f"It corrects {corrects}, which comes in first.", hint="Run `havre ingest` again."
        )
        self.corrects = corrects


@dataclass(frozen=True, slots=True)
class PlannedCorrection:
    """What one waiting correction will do.

    objects: of what it corrects, that are in the newest version.
    corrected: to be opened again, or null where it cannot be or need not.
    not_compared: why not, where it cannot be.
    since: index of the version with which those rows came; null where there are none.
    """

    waiting: WaitingDelivery
    objects: Mapping[ObjectId, PlacedObject]
    corrected: WaitingDelivery | None
    not_compared: str
    since: int | None


class CorrectionDesk:
    """Plans the corrections of one run."""

    def __init__(self, *, book: DeliveryBook, received: ReceivedDeliveries, log: PublicLog) -> None:
        self._book = book
        self._received = received
        self._log = log

    def too_early(self, waiting: Sequence[WaitingDelivery]) -> dict[str, Held]:
        """Say which corrections are of deliveries that wait themselves."""
        there = {each.note.delivery for each in waiting}
        return {
            each.note.delivery: WaitsForCorrected(str(each.note.corrects))
            for each in waiting
            if each.note.corrects in there
        }

    def plan(
        self, waiting: Iterable[WaitingDelivery], *, living: Collection[str]
    ) -> list[PlannedCorrection]:
        """Plan every correction among what waits.

        living: opaque ids of the partitions whose keys can be asked for.
        """
        return [self._planned(each, living) for each in waiting if each.note.corrects is not None]

    def check_unchanged(self, planned: Iterable[PlannedCorrection]) -> None:
        """Make sure that what is to be withdrawn is still what it was; inside `Journal.alone`.

        Raises:
            Refused: another run has put other objects in its place.
        """
        for each in planned:
            now = self._book.objects(each.waiting.note.dataset).get(str(each.waiting.note.corrects))
            if set(now or ()) != set(each.objects):
                raise Refused(
                    f"What came from delivery {each.waiting.note.corrects} changed meanwhile.",
                    hint="This run published nothing. Run `havre ingest` again.",
                )

    def _planned(self, waiting: WaitingDelivery, living: Collection[str]) -> PlannedCorrection:
        note, corrects = waiting.note, str(waiting.note.corrects)
        objects = self._book.objects(note.dataset).get(corrects, {})
        if not objects:
            return PlannedCorrection(waiting, {}, None, "", None)
        since = self._book.version_of(corrects, dataset=note.dataset)
        corrected = self._received.find(corrects)
        why = self._why_closed(corrected, waiting, living)
        return PlannedCorrection(waiting, objects, None if why else corrected, why, since)

    def _why_closed(
        self, corrected: WaitingDelivery, by: WaitingDelivery, living: Collection[str]
    ) -> str:
        if corrected.note.landing not in living:
            return "what landed of the delivery before is erased"
        events = [logged.event for logged in self._log.entries()]
        try:
            check_opened_again(events, corrected.index, by=by.index)
        except Refused as refusal:
            return refusal.message.rstrip(".")
        return ""


def compare_deliveries(
    planned: PlannedCorrection, run: DatasetRun, *, tools: IngestTools, known: KnownTables
) -> Correction:
    """Say what one correction changed, while both deliveries are open.

    run: the one that took the correction in.

    Raises:
        NotGenuine: an object is not what the holder signed for.
    """
    note, corrects = planned.waiting.note, str(planned.waiting.note.corrects)
    before: dict[str, int] = defaultdict(int)
    for placed in planned.objects.values():
        before[placed.table] += placed.rows
    after = run.accepted(note.delivery)
    changes: dict[str, RowChanges | None] = {}
    why = planned.not_compared
    if planned.corrected is not None:
        comparing = _Comparing(run, tools=tools, known=known)
        changes, why = comparing.compare(planned.corrected.note, note, before=before, after=after)
    tables = tuple(
        TableChange(
            name,
            before.get(name, 0),
            after.get(name, 0),
            # Where nothing was, nothing is to be opened: every row is new.
            changes.get(name) if before else RowChanges(after.get(name, 0), 0, 0, 0),
        )
        for name in sorted({*before, *after})
    )
    return Correction(note.delivery, corrects, planned.since, tables, why)


@dataclass(frozen=True, slots=True)
class _Comparing:
    """Two deliveries that are open, checked again by themselves."""

    run: DatasetRun
    tools: IngestTools
    known: KnownTables

    def compare(
        self,
        old: DeliveryNote,
        new: DeliveryNote,
        *,
        before: Mapping[str, int],
        after: Mapping[str, int],
    ) -> tuple[dict[str, RowChanges | None], str]:
        """Compare table by table; null for one whose rows do not pass now as they did then."""
        found: dict[str, RowChanges | None] = {}
        why = ""
        for name in sorted({*before, *after}):
            try:
                changes = self._table(name, old, new)
            except Refused as refusal:
                changes, why = None, refusal.message.rstrip(".")
            if changes is not None and _rows(changes) != (before.get(name, 0), after.get(name, 0)):
                changes, why = None, "rows of them do not pass alone as they passed with others"
            found[name] = changes
        return found, why

    def _table(self, name: str, old: DeliveryNote, new: DeliveryNote) -> RowChanges:
        counter: RowCounter = self.tools.counter
        key = self._schema(name).primary_key
        return counter.compare(self._checked(old, name), self._checked(new, name), key=key)

    def _checked(self, note: DeliveryNote, name: str) -> CheckedRows:
        paths = {count.path for count in note.files if count.table == name}
        files = [each for path, each in self.run.landed.list_files(note).items() if path in paths]
        schema = self._schema(name)
        return self.tools.checker.check(
            files, schema=schema, progress=lambda _: None, aside=lambda _: None
        )

    def _schema(self, name: str) -> TableSchema:
        """The table with the key that was agreed for this run."""
        return self.run.terms.schema(self.known.table(name).schema)


def _rows(changes: RowChanges) -> tuple[int, int]:
    kept = changes.changed + changes.unchanged
    return changes.withdrawn + kept, changes.added + kept
