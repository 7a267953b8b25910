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
from havre.application.describe import describe_version
from havre.application.ingest_run import DatasetRun, FileReport, IngestTools, RunProgress, stage_2
from havre.application.journal import Journal
from havre.application.rotation import Generations
from havre.application.vault.inventory import list_written
from havre.application.vault.keys import KeyRelease
from havre.application.vault.sealing import SealedVersion
from havre.application.waiting import ReceivedDeliveries, WaitingDelivery, wanted_for
from havre.crypto.commitments import commit_to, new_salt
from havre.crypto.random import new_object_id
from havre.domain.catalogue_text import KnownTables
from havre.domain.events import (
    DatasetPseudonymised,
    DeliveryChecked,
    Event,
    VersionPublished,
    rounded_count,
)
from havre.domain.oppositions import OPPOSITIONS_DATASET
from havre.domain.rotation import RotationRule
from havre.domain.schema import TableSchema
from havre.domain.trust import TrustRoots
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
        self._received = ReceivedDeliveries(records=records, log=log, roots=roots, clock=clock)

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
            LinesLost: a sum does not close; no version was made.
            NotGenuine: an object is not what the holder signed for.
        """
        waiting = [each for each in self._received.waiting() if each.note.dataset == dataset]
        if not waiting:
            raise NotFound(f"No delivery of {dataset} waits.", hint="See `havre status`.")
        left = self._received.opened_too_often(waiting)
        waiting = [each for each in waiting if each.note.delivery not in left]
        if not waiting:
            raise next(iter(left.values()))
        partitions = self._catalogue.list_partitions()
        wanted = wanted_for(waiting, partitions=partitions, stage_2=stage_2(partitions))
        with self._release.open(wanted) as keys:
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
            self._received.check_still_wait(waiting)
            version = self._record(dataset, waiting, run, sealed)
        return IngestReport(dataset, version, tuple(run.reports), left)

    def _record(
        self,
        dataset: str,
        waiting: Sequence[WaitingDelivery],
        run: DatasetRun,
        sealed: SealedVersion,
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
        documents += describe_version(
            dataset, version, run.counted(), schemas=run.schemas, reports=run.reports, at=now
        )
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
        self, waiting: WaitingDelivery, run: DatasetRun
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
