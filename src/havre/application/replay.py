"""Replaying: rows that were set aside are checked again, by today's schema.

What passes enters a new version, pseudonymised and sealed as at ingestion; what does not
is sealed aside again, with its new reason. Both, and which objects are done with it, are
recorded with the version's entry: before it nothing has changed, behind it no row comes
in twice.

Lines = accepted + still set aside, for every file. Keys are compared among the rows of
one replay, as among the files of one ingestion.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from havre.application.audit import PublicLog
from havre.application.ceremony import KnownPartition, PartitionCatalogue
from havre.application.contracts import ContractDesk, Terms
from havre.application.corrections import DeliveryBook, objects_document
from havre.application.ingest import newest_version, treatments_digest
from havre.application.ingest_run import IngestTools, aside_place, stage_2, write_places
from havre.application.journal import Journal
from havre.application.permits import Permits
from havre.application.quarantine import (
    KIND_REPLAY,
    AsideOpener,
    QuarantineBook,
    check_something,
    living_aside,
    read_places,
)
from havre.application.replay_run import ReplayRun, ReplayTarget
from havre.application.rotation import Generations
from havre.application.upkeep_permit import granted_for_upkeep, still_granted, wanted_for_upkeep
from havre.application.vault.inventory import list_written
from havre.application.vault.keys import KeyRelease, OpenPartitions
from havre.application.vault.sealing import SealedVersion, VersionWriter
from havre.crypto.random import new_object_id
from havre.domain.catalogue_text import KnownTables
from havre.domain.events import DatasetPseudonymised, VersionPublished, rounded_count
from havre.domain.quarantine import Quarantine, encode_replay
from havre.domain.schema import TableSchema
from havre.domain.trust import TrustRoots
from havre.domain.upkeep import UpkeepKind
from havre.domain.version_objects import VersionObjects
from havre.errors import Refused
from havre.ports.clock import Clock
from havre.ports.records import Document

# What custodians opened: where the rows lie, and the keys.
_Opened: TypeAlias = tuple[Sequence[KnownPartition], OpenPartitions]


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """What one replay did.

    version: index of the new version's entry, or null when no row passed: then nothing changed.
    """

    dataset: str
    version: int | None
    read: int
    accepted: int
    reasons: Mapping[str, int]

    @property
    def set_aside(self) -> int:
        """Rows that are still set aside."""
        return self.read - self.accepted


class Replay:
    """Makes versions of what was set aside."""

    def __init__(
        self,
        *,
        permits: Permits,
        release: KeyRelease,
        journal: Journal,
        book: QuarantineBook,
        known: KnownTables,
        contracts: ContractDesk,
        roots: TrustRoots,
        generations: Generations,
        tools: IngestTools,
        clock: Clock,
    ) -> None:
        self._permits = permits
        self._release = release
        self._journal = journal
        self._book = book
        self._known = known
        self._contracts = contracts
        self._roots = roots
        self._generations = generations
        self._tools = tools
        self._clock = clock

    @property
    def _log(self) -> PublicLog:
        return self._book.log

    def replay(self, dataset: str, *, permit: str, progress: Callable[[str], None]) -> ReplayReport:
        """Check a dataset's rows that are set aside once more.

        progress: told which table is worked on.

        Raises:
            NotFound: no such permit; nothing is set aside, or no open key pair.
            Refused: the permit is for something else, used, or no longer granted; the
                custodians do not agree; or what is set aside changed meanwhile.
            LinesLost: a sum does not close; no version was made.
        """
        standing = granted_for_upkeep(
            permit, UpkeepKind.QUARANTINE, permits=self._permits, log=self._log
        )
        found = self._book.now(dataset)
        catalogue = PartitionCatalogue(self._book.records, log=self._log)
        partitions = living_aside(dataset, found.objects, catalogue=catalogue)
        check_something(dataset, partitions)
        secret = stage_2(catalogue.list_partitions())
        wanted = wanted_for_upkeep(standing, UpkeepKind.QUARANTINE, [*partitions, secret])
        corrected = self._book.superseded(dataset)
        with self._release.open(wanted) as keys:
            run = self._run(dataset, found, (partitions, keys), corrected=corrected)
            with self._tools.vault.batch():
                run.check_tables(progress)
                sealed = run.close() if run.accepted else None
        index = None
        if sealed is not None:
            with self._journal.alone():
                still_granted(permit, permits=self._permits)
                self._check_unchanged(dataset, found, corrected)
                index = self._record(dataset, permit, run, sealed)
        return ReplayReport(dataset, index, run.read, run.accepted, dict(run.reasons))

    def _run(
        self,
        dataset: str,
        found: Quarantine,
        opened: _Opened,
        *,
        corrected: frozenset[str],
    ) -> ReplayRun:
        partitions, keys = opened
        writable = self._generations.writable()
        return ReplayRun(
            [each for each in found.files if each.delivery not in corrected],
            [each for each in found.objects if each.partition_id in read_places(partitions)],
            opener=AsideOpener(
                self._tools.reader(keys), read_places(partitions), self._tools.aside
            ),
            tools=self._tools,
            schema=partial(self._schema, self._terms(dataset, found)),
            target=ReplayTarget(
                version=VersionWriter(self._tools.vault, places=write_places(writable, dataset)),
                aside=aside_place(writable, dataset),
                secret=keys.secret(stage_2(writable).partition_id),
            ),
        )

    def _terms(self, dataset: str, found: Quarantine) -> Terms:
        """What was agreed with the holders of these rows."""
        names = {party.key_id: party.name for party in self._roots.parties}
        holders = {
            each.delivery: names.get(each.holder, "")
            for each in DeliveryBook(self._book.records, self._log).known()
            if each.delivery in {file.delivery for file in found.files}
        }
        return self._contracts.terms(holders, dataset=dataset)

    def _schema(self, terms: Terms, table: str) -> TableSchema | None:
        built = self._known.find(table)
        return terms.schema(built.schema) if built else None

    def _check_unchanged(self, dataset: str, found: Quarantine, corrected: frozenset[str]) -> None:
        if self._book.now(dataset) != found or self._book.superseded(dataset) != corrected:
            raise Refused(
                f"What is set aside of {dataset} changed while it was looked at.",
                hint="Run it again: `havre quarantine replay`. This version does not exist.",
            )

    def _record(self, dataset: str, permit: str, run: ReplayRun, sealed: SealedVersion) -> int:
        event_id, now = new_object_id(), self._clock.now()
        objects = self._objects(sealed)
        listing = list_written(
            [*sealed.written, *run.stored],
            debts=self._tools.vault.take_debts(),
            act=event_id,
            at=now,
        )
        return self._journal.record(
            DatasetPseudonymised(
                event_id=new_object_id(),
                at=now,
                dataset=dataset,
                deliveries=tuple(sorted({each.delivery for each in run.files})),
                treatments_sha256=treatments_digest(run.schemas),
            ),
            *listing.events,
            VersionPublished(
                event_id=event_id,
                at=now,
                dataset=dataset,
                parent=newest_version(self._log, dataset),
                manifests=sealed.digests,
                rows=rounded_count(sealed.rows),
                permit=permit,
            ),
            documents=[
                *sealed.documents,
                *listing.documents,
                objects_document(event_id, objects, deliveries=objects.added),
                Document(KIND_REPLAY, event_id, encode_replay(run.replayed(dataset))),
            ],
        )[-1]

    def _objects(self, sealed: SealedVersion) -> VersionObjects:
        """What came from which delivery; of one whose first rows were not written down, nothing.

        A correction would otherwise take these rows back and leave the others.
        """
        known = DeliveryBook(self._book.records, self._log).known()
        recorded = {each.delivery for each in known if each.is_recorded}
        added = sealed.objects.added if sealed.objects else {}
        return VersionObjects({name: each for name, each in added.items() if name in recorded})
