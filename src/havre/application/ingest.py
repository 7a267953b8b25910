"""From landed deliveries to a new version of a dataset: opened by mandate, checked, pseudonymised, sealed.

One run takes every delivery of a dataset that waits, and ends with one entry of
the log: before it the version does not exist, and the run can be begun again.
Of two runs over one delivery the second publishes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from havre.application.audit import PublicLog
from havre.application.ceremony import PartitionCatalogue
from havre.application.ingest_run import DatasetRun, FileReport, IngestTools, RunProgress, stage_2
from havre.application.journal import Journal
from havre.application.receive import KIND_NOTE, KIND_NOTE_SALT
from havre.application.rotation import Generations
from havre.application.vault.inventory import list_written
from havre.application.vault.keys import KeyRelease, KeysWanted
from havre.application.vault.sealing import SealedVersion
from havre.crypto.commitments import commit_to, new_salt
from havre.crypto.random import new_object_id
from havre.domain.catalogue_text import KnownTables
from havre.domain.custody import PREDICATE_DELIVERY_NOTE, ReleaseRefused, check_openings
from havre.domain.delivery_note import DeliveryNote, parse_note
from havre.domain.events import (
    DatasetPseudonymised,
    DeliveryChecked,
    DeliveryReceived,
    Event,
    VersionPublished,
    events_of,
    rounded_count,
)
from havre.domain.rotation import RotationRule
from havre.domain.schema import TableSchema
from havre.domain.statements import envelope_digest, open_statement
from havre.domain.trust import Role, TrustRoots
from havre.errors import NotFound, Refused
from havre.formats.canonical import Json, encode_canonical
from havre.ports.clock import Clock
from havre.ports.records import Document, Records

KIND_REPORT = "check-report"
KIND_REPORT_SALT = "check-report-salt"
REPORT_LABEL = "havre/v1/check-report"


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What one run did.

    version: index of the version's entry on the log.
    left: deliveries that custodians open no more today; the others went on.
    """

    dataset: str
    version: int
    files: tuple[FileReport, ...]
    left: Mapping[str, Refused]

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


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A delivery that was received and not yet checked."""

    index: int
    event: DeliveryReceived
    note: DeliveryNote
    envelope: bytes
    salt: bytes


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
        roots: TrustRoots,
        clock: Clock,
        rotation: RotationRule,
    ) -> None:
        self._journal = journal
        self._log = log
        self._records = records
        self._release = release
        self._tools = tools
        self._known = known
        self._roots = roots
        self._clock = clock
        self._catalogue = PartitionCatalogue(records, log=log)
        self._generations = Generations(records, log=log, clock=clock, rule=rotation)

    def waiting_datasets(self) -> list[str]:
        """Name the datasets for which deliveries wait."""
        return sorted({each.note.dataset for each in self._waiting()})

    def ingest(self, dataset: str, *, progress: Callable[[RunProgress], None]) -> IngestReport:
        """Make one version of a dataset from every delivery of it that waits.

        progress: told which table is read, and how many rows so far.

        Raises:
            NotFound: nothing waits, or a partition has no key pair.
            Refused: the custodians do not agree, or another run took a delivery in meanwhile.
                A delivery that was opened too often today does not stop the others.
            LinesLost: a sum does not close; no version was made.
            NotGenuine: an object is not what the holder signed for.
        """
        waiting = [each for each in self._waiting() if each.note.dataset == dataset]
        if not waiting:
            raise NotFound(f"No delivery of {dataset} waits.", hint="See `havre status`.")
        left = self._opened_too_often(waiting)
        waiting = [each for each in waiting if each.note.delivery not in left]
        if not waiting:
            raise next(iter(left.values()))
        with self._release.open(self._wanted(waiting)) as keys:
            run = DatasetRun(
                [each.note for each in waiting],
                keys=keys,
                tools=self._tools,
                known=self._known,
                partitions=self._generations.writable(),
            )
            with self._tools.vault.batch():
                run.check_tables(progress)
                sealed = run.close()
        with self._journal.alone():
            self._check_still_wait(waiting)
            version = self._record(dataset, waiting, run, sealed)
        return IngestReport(dataset, version, tuple(run.reports), left)

    def _opened_too_often(self, waiting: Iterable[_Waiting]) -> dict[str, Refused]:
        events = [logged.event for logged in self._log.entries()]
        left: dict[str, Refused] = {}
        for each in waiting:
            try:
                check_openings(events, each.index, now=self._clock.now())
            except ReleaseRefused as refusal:
                left[each.note.delivery] = refusal
        return left

    def _waiting(self) -> list[_Waiting]:
        checked = self._taken_in()
        found = []
        for logged in self._log.entries():
            event = logged.event
            if isinstance(event, DeliveryReceived) and event.delivery not in checked:
                envelope = self._records.document(KIND_NOTE, event.event_id)
                note = self._read_note(envelope)
                salt = self._records.document(KIND_NOTE_SALT, event.event_id)
                found.append(_Waiting(logged.index, event, note, envelope, salt))
        return found

    def _taken_in(self) -> set[str]:
        events = (logged.event for logged in self._log.entries())
        return {each.delivery for each in events_of(events, DeliveryChecked)}

    def _check_still_wait(self, waiting: Iterable[_Waiting]) -> None:
        """Refuse to publish rows a second time that another run has published meanwhile."""
        taken = self._taken_in()
        if twice := sorted(each.note.delivery for each in waiting if each.note.delivery in taken):
            raise Refused(
                f"Another run took these deliveries in meanwhile: {', '.join(twice)}.",
                hint="This run published nothing. See `havre status` for what still waits.",
            )

    def _read_note(self, envelope: bytes) -> DeliveryNote:
        opened = open_statement(
            envelope,
            roots=self._roots,
            predicate_type=PREDICATE_DELIVERY_NOTE,
            origin=self._roots.origin,
            required={Role.HOLDER: 1},
        )
        return parse_note(opened.statement.subject, opened.statement.predicate)

    def _wanted(self, waiting: Sequence[_Waiting]) -> KeysWanted:
        partitions = self._catalogue.list_partitions()
        known = {each.partition_id: each for each in partitions}
        return KeysWanted(
            purpose="ingest",
            partitions=[*(known[each.note.landing] for each in waiting), stage_2(partitions)],
            deliveries=tuple(each.index for each in waiting),
            documents={envelope_digest(each.envelope): each.envelope for each in waiting},
            salts={each.index: each.salt for each in waiting},
        )

    def _record(
        self, dataset: str, waiting: Sequence[_Waiting], run: DatasetRun, sealed: SealedVersion
    ) -> int:
        events: list[Event] = []
        documents: list[Document] = list(sealed.documents)
        for each in waiting:
            event, private = self._checked_event(each, run)
            events.append(event)
            documents += private
        now = self._clock.now()
        events.append(
            DatasetPseudonymised(
                event_id=new_object_id(),
                at=now,
                dataset=dataset,
                deliveries=tuple(each.note.delivery for each in waiting),
                treatments_sha256=_treatments_digest(run.schemas),
            )
        )
        version = new_object_id()
        listing = list_written(
            [*sealed.written, *run.aside], debts=self._tools.vault.take_debts(), act=version, at=now
        )
        events += listing.events
        documents += listing.documents
        events.append(
            VersionPublished(
                event_id=version,
                at=now,
                dataset=dataset,
                parent=newest_version(self._log, dataset),
                manifests=sealed.digests,
                rows=rounded_count(sealed.rows),
            )
        )
        return self._journal.record(*events, documents=documents)[-1]

    def _checked_event(
        self, waiting: _Waiting, run: DatasetRun
    ) -> tuple[DeliveryChecked, list[Document]]:
        reports = [each for each in run.reports if each.delivery == waiting.note.delivery]
        body = encode_canonical(_report_json(waiting.note.delivery, reports, run.quarantine))
        salt, event_id = new_salt(), new_object_id()
        event = DeliveryChecked(
            event_id=event_id,
            at=self._clock.now(),
            delivery=waiting.note.delivery,
            outcome="accepted",
            rows_accepted=rounded_count(sum(each.checked.accepted for each in reports)),
            rows_set_aside=rounded_count(
                sum(each.sent.lines - each.checked.accepted for each in reports)
            ),
            report_commitment=commit_to(body, label=REPORT_LABEL, salt=salt),
        )
        return event, [
            Document(KIND_REPORT, event_id, body),
            Document(KIND_REPORT_SALT, event_id, salt),
        ]


def newest_version(log: PublicLog, dataset: str) -> int | None:
    """Index of the newest version of a dataset, or null when there is none."""
    found = [
        logged.index
        for logged in log.entries()
        if isinstance(logged.event, VersionPublished) and logged.event.dataset == dataset
    ]
    return found[-1] if found else None


def _report_json(
    delivery: str, reports: Sequence[FileReport], quarantine: dict[str, Json]
) -> dict[str, Json]:
    return {
        "delivery": delivery,
        "files": [
            {
                "accepted": each.checked.accepted,
                "lines": each.sent.lines,
                "notes": list(each.sent.notes),
                "path": each.sent.path,
                "set_aside_at_the_holder": dict(each.sent.set_aside),
                "set_aside_at_the_hub": dict(each.checked.set_aside),
                "table": each.sent.table,
            }
            for each in reports
        ],
        "quarantine": {
            table: where
            for table, where in quarantine.items()
            if any(each.sent.table == table for each in reports)
        },
    }


def _treatments_digest(schemas: Iterable[TableSchema]) -> str:
    treatments: dict[str, Json] = {
        schema.name: {column.name: column.treatment.value for column in schema.columns}
        for schema in schemas
    }
    return hashlib.sha256(encode_canonical(treatments)).hexdigest()
