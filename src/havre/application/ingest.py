"""From landed deliveries to a new version of a dataset: opened by mandate, checked, pseudonymised, sealed.

One run takes every delivery of a dataset that waits, and ends with one entry of
the log: before it the version does not exist, and the run can be begun again.
Of two runs over one delivery the second publishes nothing. A delivery that breaks its
contract is held: the version is made of the others, as if it had never come.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from havre.application.audit import PublicLog
from havre.application.ceremony import PartitionCatalogue
from havre.application.changes import (
    KIND_CHANGES,
    CorrectionDesk,
    PlannedCorrection,
    compare_deliveries,
)
from havre.application.contracts import ContractDesk, Judge
from havre.application.corrections import (
    KIND_REPORT,
    KIND_REPORT_SALT,
    DeliveryBook,
    objects_document,
)
from havre.application.describe import describe_version
from havre.application.ingest_attempts import Attempts, Done
from havre.application.ingest_run import DatasetRun, FileReport, IngestTools, RunProgress, stage_2
from havre.application.journal import Journal
from havre.application.rotation import Generations
from havre.application.vault.inventory import list_written
from havre.application.vault.keys import KeyRelease, OpenPartitions
from havre.application.waiting import ReceivedDeliveries, WaitingDelivery, wanted_for
from havre.crypto.commitments import commit_to, new_salt
from havre.crypto.random import new_object_id
from havre.domain.catalogue_text import KnownTables
from havre.domain.change_report import Correction, encode_changes
from havre.domain.code_system import ColumnCodes
from havre.domain.contract_judgement import Judged
from havre.domain.correcting import ACCEPTED, HELD
from havre.domain.delivery_note import DeliveryNote
from havre.domain.delivery_receipt import REPORT_LABEL
from havre.domain.events import (
    DatasetPseudonymised,
    DeliveryChecked,
    Event,
    VersionPublished,
    rounded_count,
)
from havre.domain.oppositions import OPPOSITIONS_DATASET
from havre.domain.quarantine import layout_json
from havre.domain.rotation import RotationRule
from havre.domain.schema import TableSchema
from havre.domain.trust import TrustRoots
from havre.errors import HavreError, NotFound
from havre.formats.canonical import Json, encode_canonical
from havre.ports.clock import Clock
from havre.ports.records import Document, Records


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What one run did.

    version: index of the version's entry on the log; null where every delivery was held.
    left: deliveries that are not in the version, and why; the others went on.
    judged: by delivery, what became of the rules of its contract.
    corrections: what those that correct another one changed.
    codes: by delivery, what its codes are, where the hub keeps their lists.
    """

    dataset: str
    version: int | None
    files: tuple[FileReport, ...]
    left: Mapping[str, HavreError]
    judged: Mapping[str, tuple[Judged, ...]] = field(default_factory=dict)
    corrections: tuple[Correction, ...] = ()
    codes: Mapping[str, tuple[ColumnCodes, ...]] = field(default_factory=dict)

    @property
    def deliveries(self) -> frozenset[str]:
        """Those that are in the version."""
        return frozenset(each.delivery for each in self.files)

    @property
    def lines(self) -> int:
        """Data lines in the holders' files."""
        return sum(each.sent.lines for each in self.files)

    @property
    def accepted(self) -> int:
        """Rows in the new version."""
        return sum(each.checked.accepted for each in self.files)

    @property
    def set_aside(self) -> int:
        """Lines set aside, at the holder or at the hub."""
        return self.lines - self.accepted


class Ingestion:
    """Makes versions of datasets."""

    def __init__(
        self,
        *,
        journal: Journal,
        log: PublicLog,
        records: Records,
        release: KeyRelease,
        tools: IngestTools,
        known: KnownTables,
        contracts: ContractDesk,
        roots: TrustRoots,
        clock: Clock,
        rotation: RotationRule,
    ) -> None:
        self._journal = journal
        self._log = log
        self._release = release
        self._tools = tools
        self._known = known
        self._contracts = contracts
        self._clock = clock
        self._catalogue = PartitionCatalogue(records, log=log)
        self._generations = Generations(records, log=log, clock=clock, rule=rotation)
        self._received = ReceivedDeliveries(records=records, log=log, roots=roots, clock=clock)
        book = DeliveryBook(records, log)
        self._corrections = CorrectionDesk(book=book, received=self._received, log=log)
        self._judge = Judge(records, log)

    def waiting_datasets(self) -> list[str]:
        """Name the datasets for which deliveries wait; the register of oppositions is none."""
        named = {each.note.dataset for each in self._received.waiting()}
        return sorted(named - {OPPOSITIONS_DATASET})

    def ingest(self, dataset: str, *, progress: Callable[[RunProgress], None]) -> IngestReport:
        """Make one version of a dataset from every delivery of it that waits.

        progress: told which table is read, and how many rows so far.

        Raises:
            NotFound: nothing waits, or a partition has no key pair.
            Refused: the custodians do not agree, or another run took a delivery in meanwhile.
                A delivery that was opened too often today does not stop the others.
            LinesLost, NotGenuine: a sum does not close, or an object is not what the holder
                signed for, and no other delivery can go on; no version was made.
        """
        waiting = [each for each in self._received.waiting() if each.note.dataset == dataset]
        if not waiting:
            raise NotFound(f"No delivery of {dataset} waits.", hint="See `havre status`.")
        left: dict[str, HavreError] = {
            **self._received.opened_too_often(waiting),
            **self._corrections.too_early(waiting),
        }
        waiting = [each for each in waiting if each.note.delivery not in left]
        if not waiting:
            raise next(iter(left.values()))
        partitions = self._catalogue.list_partitions()
        living = {each.partition_id for each in self._catalogue.list_living()}
        planned = self._corrections.plan(waiting, living=living)
        wanted = wanted_for(
            waiting,
            partitions=partitions,
            stage_2=stage_2(partitions),
            corrected=[each.corrected for each in planned if each.corrected],
        )
        with self._release.open(wanted) as keys, self._tools.vault.batch():
            done = self._run(waiting, planned, keys, progress=progress)
        waiting = [each for each in waiting if each.note.delivery not in done.left]
        planned = [each for each in planned if each.waiting.note.delivery not in done.left]
        with self._journal.alone():
            self._received.check_still_wait(waiting)
            self._corrections.check_unchanged(planned)
            version = self._record(dataset, waiting, done)
        files = tuple(
            report
            for delivery, reports in done.reports.items()
            if delivery not in done.out
            for report in reports
        )
        return IngestReport(
            dataset,
            version,
            files,
            {**left, **done.left, **done.held},
            done.judged,
            done.corrections,
            done.codes,
        )

    def _run(
        self,
        waiting: Sequence[WaitingDelivery],
        planned: Sequence[PlannedCorrection],
        keys: OpenPartitions,
        *,
        progress: Callable[[RunProgress], None],
    ) -> Done:
        """Check and seal what can go on.

        Raises:
            HavreError: nothing can, and nothing is to be written down of it.
        """
        holders = {each.note.delivery: each.holder.name for each in waiting}
        terms = self._contracts.terms(holders, dataset=waiting[0].note.dataset)

        def checked(some: Sequence[WaitingDelivery]) -> DatasetRun:
            run = DatasetRun(
                [each.note for each in some],
                keys=keys,
                tools=self._tools,
                known=self._known,
                partitions=self._generations.writable(),
                terms=terms,
            )
            run.check_tables(progress)
            return run

        attempts = Attempts(checked, judge=self._judge)
        run, done = attempts.run(waiting), attempts.done
        if run is not None:
            self._close(run, planned, done)
        elif not done.held:
            raise next(iter(done.left.values()))
        return done

    def _close(self, run: DatasetRun, planned: Sequence[PlannedCorrection], done: Done) -> None:
        """Take back what is corrected, say what changed, and seal the manifests."""
        years = {
            each.partition_id: each.partition.year for each in self._catalogue.list_partitions()
        }
        kept = [each for each in planned if each.waiting.note.delivery not in done.out]
        for each in kept:
            run.withdraw(each.objects.values(), years=years)
        done.corrections = tuple(
            compare_deliveries(each, run, tools=self._tools, known=self._known) for each in kept
        )
        done.run, done.sealed = run, run.close()

    def _record(self, dataset: str, waiting: Sequence[WaitingDelivery], done: Done) -> int | None:
        version, now = new_object_id(), self._clock.now()
        events: list[Event] = []
        documents: list[Document] = []
        objects = _objects_document(version, waiting, done)
        for each in waiting:
            event, private = self._checked_event(each, done, objects=objects)
            events.append(event)
            documents += private
        if done.run is None or done.sealed is None or objects is None:
            self._journal.record(*events, documents=documents)
            return None
        accepted = tuple(
            each.note.delivery for each in waiting if each.note.delivery not in done.held
        )
        events.append(
            DatasetPseudonymised(
                event_id=new_object_id(),
                at=now,
                dataset=dataset,
                deliveries=accepted,
                treatments_sha256=treatments_digest(done.run.schemas),
            )
        )
        listing = list_written(
            [*done.sealed.written, *done.run.aside],
            debts=self._tools.vault.take_debts(),
            act=version,
            at=now,
        )
        events += listing.events
        documents += [*done.sealed.documents, *listing.documents, objects]
        documents += describe_version(
            dataset,
            version,
            done.run.content(),
            schemas=done.run.schemas,
            reports=done.run.reports,
            codes=[each for codes in done.run.codes.values() for each in codes],
            at=now,
            withdrawn=_withdrawn_by_table(done.corrections),
        )
        if done.corrections:
            documents.append(Document(KIND_CHANGES, version, encode_changes(done.corrections)))
        events.append(
            VersionPublished(
                event_id=version,
                at=now,
                dataset=dataset,
                parent=newest_version(self._log, dataset),
                manifests=done.sealed.digests,
                rows=rounded_count(done.sealed.rows),
                withdrawn=_withdrawn(done.corrections),
            )
        )
        return self._journal.record(*events, documents=documents)[-1]

    def _checked_event(
        self, waiting: WaitingDelivery, done: Done, *, objects: Document | None
    ) -> tuple[DeliveryChecked, list[Document]]:
        name = waiting.note.delivery
        reports, is_held = done.reports[name], name in done.held
        body = encode_canonical(_report_json(waiting.note, done, objects=objects))
        salt, event_id = new_salt(), new_object_id()
        lines = sum(each.sent.lines for each in reports)
        accepted = 0 if is_held else sum(each.checked.accepted for each in reports)
        event = DeliveryChecked(
            event_id=event_id,
            at=self._clock.now(),
            delivery=name,
            outcome=HELD if is_held else ACCEPTED,
            rows_accepted=rounded_count(accepted),
            rows_set_aside=rounded_count(lines - accepted),
            report_commitment=commit_to(body, label=REPORT_LABEL, salt=salt),
        )
        return event, [
            Document(KIND_REPORT, event_id, body),
            Document(KIND_REPORT_SALT, event_id, salt),
        ]


def _objects_document(
    version: str, waiting: Sequence[WaitingDelivery], done: Done
) -> Document | None:
    if done.sealed is None or done.sealed.objects is None:
        return None
    accepted = [each.note.delivery for each in waiting if each.note.delivery not in done.held]
    return objects_document(version, done.sealed.objects, deliveries=accepted)


def _withdrawn_by_table(corrections: Sequence[Correction]) -> dict[str, int]:
    """Rows that a version takes back, by table; exact."""
    rows: dict[str, int] = {}
    for each in corrections:
        for table in each.tables:
            rows[table.table] = rows.get(table.table, 0) + table.rows_before
    return rows


def _withdrawn(corrections: Sequence[Correction]) -> int | None:
    """Rows that a version takes back, rounded; null where it takes none back."""
    before = [table.rows_before for each in corrections for table in each.tables]
    return rounded_count(sum(before)) if any(before) else None


def newest_version(log: PublicLog, dataset: str) -> int | None:
    """Index of the newest version of a dataset, or null when there is none."""
    return max(log.versions(dataset), default=None)


def _report_json(note: DeliveryNote, done: Done, *, objects: Document | None) -> dict[str, Json]:
    """What the log commits to: counts, what the contract came to, what became of the rows."""
    name = note.delivery
    reports, is_held = done.reports[name], name in done.held
    quarantine = {} if done.run is None or is_held else done.run.quarantine
    return {
        **_where_it_is_so(note, done, objects=objects),
        "delivery": name,
        "files": [
            {
                "accepted": each.checked.accepted,
                "lines": each.sent.lines,
                "notes": list(each.sent.notes),
                "path": each.sent.path,
                "set_aside_at_the_holder": dict(each.sent.set_aside),
                "set_aside_at_the_hub": dict(each.checked.set_aside),
                "table": each.sent.table,
                **({"layout": layout_json(each.layout)} if each.layout else {}),
            }
            for each in reports
        ],
        "outcome": HELD if is_held else ACCEPTED,
        "quarantine": {
            table: where
            for table, where in quarantine.items()
            if any(each.sent.table == table for each in reports)
        },
    }


def _where_it_is_so(note: DeliveryNote, done: Done, *, objects: Document | None) -> dict[str, Json]:
    """What only some reports have: a contract, codes, what is corrected, objects."""
    name, later = note.delivery, dict[str, Json]()
    if name in done.judged:
        later["contract"] = {
            "rules": [dict(each.text) for each in done.judged[name]],
            "sha256": done.contracts[name],
        }
    if codes := done.codes[name]:
        later["codes"] = [dict(each.text) for each in codes]
    if note.corrects is not None:
        later["corrects"] = note.corrects
    if objects is not None and name not in done.held:
        later["objects_sha256"] = hashlib.sha256(objects.body).hexdigest()
    return later


def treatments_digest(schemas: Iterable[TableSchema]) -> str:
    """Hash what becomes of each column of these tables, for the log."""
    treatments: dict[str, Json] = {
        schema.name: {column.name: column.treatment.value for column in schema.columns}
        for schema in schemas
    }
    return hashlib.sha256(encode_canonical(treatments)).hexdigest()
