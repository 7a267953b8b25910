"""From a granted permit to a sealed extract: the minimum, under names of the project's own.

The plan is made from the permit, so it cannot reach past it; a narrower one may
be asked for, and every column too many is named. Custodians see the permit and
the log, never the plan's rows. Whoever objects is left out, by the registers that are
newest when the extract is recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from havre.application.audit import PublicLog
from havre.application.ceremony import Ceremonies, KnownPartition, PartitionCatalogue
from havre.application.ingest import newest_version
from havre.application.journal import Journal
from havre.application.oppositions import CountingRegisters, counting_registers
from havre.application.permits import Permits, PermitStanding
from havre.application.pseudonymise import Pseudonyms
from havre.application.vault.inventory import list_written
from havre.application.vault.keys import KeyRelease, KeysWanted, OpenPartitions
from havre.application.vault.reading import (
    LentKeys,
    ListedFile,
    ReadPlace,
    VaultReader,
    manifest_locations,
    version_chain,
)
from havre.application.vault.sealing import (
    MANIFEST_DOCUMENT,
    SealedVersion,
    VaultWriter,
    WritePlace,
)
from havre.crypto.commitments import commit_to, new_salt
from havre.crypto.random import new_object_id
from havre.domain.events import ExtractMade, VersionPublished, rounded_count
from havre.domain.oppositions import REGISTER
from havre.domain.permit import OutsidePermit, Permit, TableGrant, project_secret
from havre.domain.permit_states import PermitState
from havre.domain.plan import Plan, encode_plan
from havre.domain.plan_making import PEOPLE, make_plan
from havre.domain.schema import Catalogue
from havre.domain.statements import envelope_digest
from havre.errors import NotFound, Refused
from havre.ports.clock import Clock
from havre.ports.engine import Engine
from havre.ports.records import Document, Records
from havre.values import Partition, PartitionKind, TableStream

KIND_PLAN = "plan"
KIND_PLAN_SALT = "plan-salt"
PLAN_LABEL = "havre/v1/plan"


@dataclass(frozen=True, slots=True)
class ExtractReport:
    """What was made.

    index: of its entry on the log.
    rows: exact, by table; not public.
    erased: partitions that the permit reaches and whose keys are erased: their rows are
        lost for everybody.
    """

    permit: str
    index: int
    rows: dict[str, int]
    erased: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractTools:
    """What an extract is made with.

    reader: opens the vault with the keys that are lent for the run.
    """

    vault: VaultWriter
    reader: Callable[[LentKeys], VaultReader]
    engine: Engine
    pseudonyms: Pseudonyms


class Extraction:
    """Makes extracts."""

    def __init__(
        self,
        *,
        permits: Permits,
        ceremonies: Ceremonies,
        release: KeyRelease,
        journal: Journal,
        log: PublicLog,
        records: Records,
        catalogue: Catalogue,
        tools: ExtractTools,
        clock: Clock,
    ) -> None:
        self._permits = permits
        self._ceremonies = ceremonies
        self._release = release
        self._journal = journal
        self._log = log
        self._records = records
        self._catalogue = catalogue
        self._tools = tools
        self._clock = clock
        self._partitions = PartitionCatalogue(records, log=log)

    def extract(
        self,
        name: str,
        *,
        asked: Sequence[TableGrant] | None = None,
        progress: Callable[[str], None] = lambda _: None,
    ) -> ExtractReport:
        """Make the extract of a permit.

        asked: a narrower choice of tables and columns; null means all of the permit.

        Raises:
            NotFound: no such permit, or no version of a dataset.
            Refused: the permit is not granted, or no longer when the extract was
                sealed, or the custodians do not agree.
            OutsidePermit: `asked` reaches past the permit; every column is named.
        """
        standing = self._granted(name)
        permit = standing.permit
        grants = permit.tables if asked is None else asked
        check_asked(grants, permit)
        self._prepare(permit)
        registers = self._registers(permit)
        plan = make_plan(
            grants,
            period=permit.period,
            population=permit.population,
            people=PEOPLE,
            catalogue=self._catalogue,
            register=(REGISTER.name, REGISTER.columns[0].name) if registers.updates else None,
        )
        versions = self._versions(plan, permit)
        salt = new_salt()
        document = encode_plan(plan)
        commitment = commit_to(document, label=PLAN_LABEL, salt=salt)
        source = _Source(versions, registers)
        with self._opened(standing, source, commitment) as keys, self._tools.vault.batch():
            sealed = self._seal(plan, grants, permit, source, keys, progress=progress)
        with self._journal.alone():
            # An extract that a revocation or an opposition has overtaken does not exist.
            self._granted(name)
            self._check_newest(permit, registers)
            index = self._record(permit, source, commitment, sealed, plan=(document, salt))
        living = {each.partition_id for each in self._reached(permit, versions)}
        lost = [
            each.partition.text
            for each in self._filled(permit, versions)
            if each.partition_id not in living
        ]
        return ExtractReport(name, index, dict(sealed.manifests[0].rows_of), tuple(lost))

    def _granted(self, name: str) -> PermitStanding:
        standing = self._permits.standing(name)
        if standing.state is not PermitState.GRANTED:
            raise Refused(
                f"Permit {name} is {standing.state.value}.", hint="Only a granted one opens data."
            )
        if standing.permit.upkeep is not None:
            raise Refused(f"Permit {name} is for upkeep, and has no extract.")
        return standing

    def _prepare(self, permit: Permit) -> None:
        """Make the project's key pair and its pseudonym secret, once in its life."""
        known = {each.partition for each in self._partitions.list_partitions()}
        wanted = [
            Partition(PartitionKind.PROJECT, permit.name),
            Partition(PartitionKind.SECRET, project_secret(permit.name)),
        ]
        if fresh := [each for each in wanted if each not in known]:
            self._ceremonies.make(fresh)

    def _registers(self, permit: Permit) -> CountingRegisters:
        """Find the registers that count for a permit; none where its text says why."""
        if permit.despite_oppositions:
            return CountingRegisters({})
        return counting_registers((each.index, each.event) for each in self._log.entries())

    def _check_newest(self, permit: Permit, used: CountingRegisters) -> None:
        if self._registers(permit).roots != used.roots:
            raise Refused(
                "A register of people who object got a new version while the extract was made.",
                hint="Make it again: `havre extract`. This one does not exist.",
            )

    def _versions(self, plan: Plan, permit: Permit) -> dict[str, int]:
        datasets = {self._catalogue.table(part.table).dataset for part in plan.tables}
        versions: dict[str, int] = {}
        for dataset in sorted(datasets):
            newest = newest_version(self._log, dataset)
            if newest is None:
                raise NotFound(
                    f"There is no version of dataset {dataset}.", hint="Run `havre ingest` first."
                )
            versions[dataset] = newest
        # What ties the numbers of a person together is read as far as the permit reaches.
        ties = plan.oppositions.ties if plan.oppositions is not None else ()
        for dataset in {self._catalogue.table(tie.table).dataset for tie in ties}:
            newest = newest_version(self._log, dataset)
            if newest is not None and dataset in permit.years:
                versions[dataset] = newest
        return versions

    def _chain(self, version: int) -> tuple[VersionPublished, ...]:
        return version_chain(self._log.versions(), version=version)

    def _reached(self, permit: Permit, versions: dict[str, int]) -> list[KnownPartition]:
        """The partitions that hold something, that the permit names, and that can be read."""
        living = {each.partition_id for each in self._partitions.list_living()}
        return [each for each in self._filled(permit, versions) if each.partition_id in living]

    def _filled(self, permit: Permit, versions: dict[str, int]) -> list[KnownPartition]:
        """The partitions that hold something and that the permit names."""
        filled = {
            partition
            for version in versions.values()
            for event in self._chain(version)
            for partition in event.manifests
        }
        return [
            each
            for each in self._partitions.list_partitions()
            if each.partition_id in filled
            and each.partition.year in permit.years.get(each.partition.name, ())
        ]

    def _listed(self, source: _Source) -> list[KnownPartition]:
        """The partitions in which the registers that count lie."""
        return [
            each
            for each in self._partitions.list_partitions()
            if each.partition_id in source.registers.partitions
        ]

    @contextmanager
    def _opened(
        self, standing: PermitStanding, source: _Source, commitment: str
    ) -> Iterator[OpenPartitions]:
        permit = standing.permit
        secret = self._partitions.find(Partition(PartitionKind.SECRET, project_secret(permit.name)))
        wanted = KeysWanted(
            purpose="extract",
            partitions=[*self._reached(permit, source.versions), *self._listed(source), secret],
            permit=standing.index,
            plan_commitment=commitment,
            documents={envelope_digest(standing.envelope): standing.envelope},
        )
        with self._release.open(wanted) as keys:
            yield keys

    def _seal(
        self,
        plan: Plan,
        grants: Sequence[TableGrant],
        permit: Permit,
        source: _Source,
        keys: OpenPartitions,
        *,
        progress: Callable[[str], None],
    ) -> SealedVersion:
        files = [
            *self._files(permit, source.versions, keys),
            *self._register_files(source, keys),
        ]
        secret_id = self._partitions.find(
            Partition(PartitionKind.SECRET, project_secret(permit.name))
        ).partition_id
        secret = keys.secret(secret_id)
        project = self._partitions.find(Partition(PartitionKind.PROJECT, permit.name))
        place = WritePlace(project.partition, project.partition_id, project.public_key)
        true_keys = {self._catalogue.table(each.table).name: each.true_keys for each in grants}
        with self._tools.reader(keys).sources(plan, files=files) as sources:
            results = self._tools.engine.run(plan, sources=sources)
            extracts: dict[str, TableStream] = {}
            for table, rows in results.items():
                extracts[table] = self._tools.pseudonyms.for_project(
                    rows,
                    schema=self._catalogue.table(table),
                    secret=secret,
                    true_keys=frozenset(true_keys.get(table, ())),
                )
                progress(table)
            return self._tools.vault.seal_extract(extracts, place=place)

    def _files(
        self, permit: Permit, versions: dict[str, int], keys: OpenPartitions
    ) -> list[ListedFile]:
        reader = self._tools.reader(keys)
        locations = manifest_locations(self._records.list_documents(MANIFEST_DOCUMENT))
        places = [
            ReadPlace(each.partition, each.partition_id) for each in self._reached(permit, versions)
        ]
        return [
            file
            for version in versions.values()
            for file in reader.list_files(self._chain(version), places=places, locations=locations)
        ]

    def _register_files(self, source: _Source, keys: OpenPartitions) -> list[ListedFile]:
        places = {
            each.partition_id: ReadPlace(each.partition, each.partition_id)
            for each in self._listed(source)
        }
        return source.registers.list_files(
            self._tools.reader(keys),
            places=places,
            locations=manifest_locations(self._records.list_documents(MANIFEST_DOCUMENT)),
        )

    def _bound(self, permit: Permit, source: _Source) -> dict[str, str] | None:
        """What the entry says of oppositions: nothing while nobody keeps a register."""
        everybody = counting_registers((each.index, each.event) for each in self._log.entries())
        if not everybody.updates:
            return None
        return {} if permit.despite_oppositions else source.registers.roots

    def _record(
        self,
        permit: Permit,
        source: _Source,
        commitment: str,
        sealed: SealedVersion,
        *,
        plan: tuple[bytes, bytes],
    ) -> int:
        (manifest,) = sealed.manifests
        event_id, now = new_object_id(), self._clock.now()
        listing = list_written(
            sealed.written, debts=self._tools.vault.take_debts(), act=event_id, at=now
        )
        *_, index = self._journal.record(
            *listing.events,
            ExtractMade(
                event_id=event_id,
                at=now,
                permit=permit.name,
                partition=manifest.partition_id,
                versions=source.versions,
                plan_commitment=commitment,
                manifest_sha256=manifest.stored.sha256,
                rows=rounded_count(sealed.rows),
                oppositions=self._bound(permit, source),
            ),
            documents=[
                *sealed.documents,
                *listing.documents,
                Document(KIND_PLAN, event_id, plan[0]),
                Document(KIND_PLAN_SALT, event_id, plan[1]),
            ],
        )
        return index


@dataclass(frozen=True, slots=True)
class _Source:
    """What an extract is cut from: versions by dataset, and the registers that count."""

    versions: dict[str, int]
    registers: CountingRegisters


def check_asked(asked: Sequence[TableGrant], permit: Permit) -> None:
    """Refuse a choice that reaches past a permit.

    Raises:
        OutsidePermit: naming every table and column too many, not just the first.
    """
    granted = {(each.dataset, each.table): each for each in permit.tables}
    beyond: list[str] = []
    for each in asked:
        grant = granted.get((each.dataset, each.table))
        columns = set(each.columns) - set(grant.columns if grant else ())
        keys = set(each.true_keys) - set(grant.true_keys if grant else ())
        beyond += [f"{each.table}.{name}" for name in sorted(columns)]
        beyond += [f"the true {each.table}.{name}" for name in sorted(keys)]
        if grant is None and not columns:
            beyond.append(each.table)
    if beyond:
        raise OutsidePermit(
            f"Permit {permit.name} does not cover: {', '.join(beyond)}.",
            hint="Drop these from what you ask, or ask for another permit.",
        )
