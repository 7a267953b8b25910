"""Run a study on its extract: keys lent for the opening, none for the study.

The researcher signs which code is to run; the permit says who may, and in which
environment. Outputs are sealed to the project's key as soon as they come out:
nobody but the checkers sees them before they are released.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from havre.application.audit import PublicLog
from havre.application.ceremony import KnownPartition, PartitionCatalogue
from havre.application.journal import Journal
from havre.application.permits import Permits, PermitStanding
from havre.application.vault.inventory import Written, list_written
from havre.application.vault.keys import KeyRelease, KeysWanted
from havre.application.vault.reading import (
    LentKeys,
    ListedFile,
    ReadPlace,
    VaultReader,
    manifest_locations,
)
from havre.application.vault.sealing import MANIFEST_DOCUMENT, VaultWriter, WritePlace
from havre.crypto.commitments import commit_to, new_salt
from havre.crypto.random import new_object_id
from havre.domain.events import ExtractMade, JobRan
from havre.domain.job import (
    OUTPUTS_LABEL,
    PREDICATE_JOB,
    JobRecord,
    code_digest,
    encode_job,
    outputs_document,
)
from havre.domain.permit import Permit
from havre.domain.permit_states import PermitState
from havre.domain.statements import (
    Opened,
    Statement,
    envelope_digest,
    open_statement,
    sign_statement,
)
from havre.domain.trust import Role, TrustRoots
from havre.errors import NotFound, Refused
from havre.formats.canonical import Json, encode_canonical
from havre.formats.manifest import ObjectKind
from havre.ports.clock import Clock
from havre.ports.records import Document, Records
from havre.ports.sandbox import OutputFile, Sandbox, SandboxJob, SandboxLimits, SandboxResult
from havre.ports.tables import TableFiles
from havre.ports.tokens import Token
from havre.values import Partition, PartitionKind

KIND_JOB = "job"
KIND_JOB_REQUEST = "job-request"
KIND_OUTPUTS_SALT = "outputs-salt"


@dataclass(frozen=True, slots=True)
class JobReport:
    """What came of a job.

    words: what the study said; it stays inside the hub.
    """

    record: JobRecord
    index: int
    words: bytes
    wall_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyCode:
    """What is to run.

    files: path below `/code` to content. arguments: for `study.py`.
    environment: the folder of the study environment; its hash is computed anew.
    """

    files: Mapping[str, bytes]
    arguments: tuple[str, ...]
    environment: str
    environment_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTools:
    """What a run works with.

    reader: opens the vault with the keys that are lent for the run.
    library: path to content of what every study finds beside its code.
    """

    vault: VaultWriter
    reader: Callable[[LentKeys], VaultReader]
    tables: TableFiles
    sandbox: Sandbox
    library: Mapping[str, bytes]
    limits: SandboxLimits


class StudyRuns:
    """Runs studies."""

    def __init__(
        self,
        *,
        permits: Permits,
        release: KeyRelease,
        journal: Journal,
        log: PublicLog,
        records: Records,
        roots: TrustRoots,
        tools: RunTools,
        clock: Clock,
    ) -> None:
        self._permits = permits
        self._release = release
        self._journal = journal
        self._log = log
        self._records = records
        self._roots = roots
        self._tools = tools
        self._clock = clock
        self._partitions = PartitionCatalogue(records, log=log)

    def run(self, name: str, code: StudyCode, *, researcher: Token) -> JobReport:
        """Run a study on the newest extract of its permit.

        The person is whoever the trust roots say holds the key that signs the
        request, before any key is opened: a token's own name is not believed.

        Raises:
            NotGenuine: the key is nobody's in these trust roots.
            Refused: the permit does not grant it: its state, the person or the
                environment; or the custodians do not agree.
            NotFound: no permit, or no extract yet.
            Unprotected: this machine cannot make a sandbox; nothing was opened.
        """
        standing = self._permits.standing(name)
        request = self._signed(standing.permit, code, researcher)
        asked = self._opened(request)
        check_may_run(
            standing, researcher=asked.signers[0].name, environment=code.environment_sha256
        )
        self._tools.sandbox.probe()
        index, extract = self._newest_extract(name)
        project = self._partitions.find(Partition(PartitionKind.PROJECT, name))
        with self._release.open(self._wanted(standing, project)) as keys:
            reader = self._tools.reader(keys)
            files = self._files(extract, project, reader)
            lent = reader.lend_keys(files)
        # The key room is closed before foreign code begins.
        result = self._tools.sandbox.run(
            SandboxJob(
                code=self._whole(code),
                command=("/env/bin/python", "/code/study.py", *code.arguments),
                environment=code.environment,
                inputs=self._inputs(files, self._tools.reader(lent)),
                limits=self._tools.limits,
            )
        )
        job = f"job-{new_object_id()[:12]}"
        bundle = self._sealed(result.outputs, project)
        record = self._job_record(job, standing.permit, result, bundle, asked=asked)
        return self._record(record, code, result, bundle, extract=index, request=request)

    def _wanted(self, standing: PermitStanding, project: KnownPartition) -> KeysWanted:
        return KeysWanted(
            purpose="run",
            partitions=[project],
            permit=standing.index,
            documents={envelope_digest(standing.envelope): standing.envelope},
        )

    def _newest_extract(self, name: str) -> tuple[int, ExtractMade]:
        found = [
            (logged.index, logged.event)
            for logged in self._log.entries()
            if isinstance(logged.event, ExtractMade) and logged.event.permit == name
        ]
        if not found:
            raise NotFound(
                f"There is no extract for permit {name}.", hint=f"Make it: `havre extract {name}`."
            )
        return found[-1]

    def _whole(self, code: StudyCode) -> dict[str, bytes]:
        """All that runs: the study, and what every study finds beside it."""
        return {**self._tools.library, **code.files}

    def _files(
        self, extract: ExtractMade, project: KnownPartition, reader: VaultReader
    ) -> list[ListedFile]:
        locations = manifest_locations(self._records.list_documents(MANIFEST_DOCUMENT))
        place = ReadPlace(project.partition, project.partition_id)
        manifest = reader.read_manifest(
            locations[extract.manifest_sha256], place=place, sha256=extract.manifest_sha256
        )
        return [ListedFile(place, entry) for entry in manifest.entries]

    def _inputs(
        self, files: Iterable[ListedFile], reader: VaultReader
    ) -> dict[str, Iterable[bytes]]:
        """Each table as one plain file, or several, made while the sandbox takes it in."""
        by_table: dict[str, list[ListedFile]] = {}
        for file in files:
            by_table.setdefault(file.entry.table, []).append(file)
        return {
            f"{table}.parquet" if len(parts) == 1 else f"{table}.part{number:04d}.parquet": (
                self._clear(file, reader)
            )
            for table, parts in sorted(by_table.items())
            for number, file in enumerate(parts)
        }

    def _clear(self, file: ListedFile, reader: VaultReader) -> Iterator[bytes]:
        with reader.read_table(file) as rows:
            yield from self._tools.tables.write_clear(rows)

    def _signed(self, permit: Permit, code: StudyCode, researcher: Token) -> bytes:
        predicate: dict[str, Json] = {
            "arguments": list(code.arguments),
            "code_sha256": code_digest(self._whole(code)),
            "environment_sha256": code.environment_sha256,
        }
        statement = Statement(PREDICATE_JOB, self._roots.origin, permit.name, predicate)
        return sign_statement(statement, [researcher])

    def _opened(self, request: bytes) -> Opened:
        return open_statement(
            request,
            roots=self._roots,
            predicate_type=PREDICATE_JOB,
            origin=self._roots.origin,
            required={Role.RESEARCHER: 1},
        )

    def _job_record(
        self,
        job: str,
        permit: Permit,
        result: SandboxResult,
        bundle: Written | None,
        *,
        asked: Opened,
    ) -> JobRecord:
        return JobRecord(
            job=job,
            permit=permit.name,
            researcher=asked.signers[0].name,
            outcome=result.outcome.value,
            files={each.name: hashlib.sha256(each.body).hexdigest() for each in result.outputs},
            bundle=str(bundle.object_id) if bundle else "",
            bundle_sha256=str(bundle.sha256) if bundle else "",
            request=asked.envelope_sha256,
        )

    def _record(
        self,
        record: JobRecord,
        code: StudyCode,
        result: SandboxResult,
        bundle: Written | None,
        *,
        extract: int,
        request: bytes,
    ) -> JobReport:
        salt, event_id, now = new_salt(), new_object_id(), self._clock.now()
        listing = list_written(
            [bundle] if bundle else [],
            debts=self._tools.vault.take_debts(),
            act=event_id,
            at=now,
        )
        *_, index = self._journal.record(
            *listing.events,
            JobRan(
                event_id=event_id,
                at=now,
                job=record.job,
                permit=record.permit,
                extract=extract,
                code_sha256=code_digest(self._whole(code)),
                environment_sha256=code.environment_sha256,
                outcome=record.outcome,
                outputs_commitment=commit_to(
                    outputs_document(record.files), label=OUTPUTS_LABEL, salt=salt
                ),
            ),
            documents=[
                *listing.documents,
                Document(KIND_JOB, record.job, encode_job(record)),
                Document(KIND_JOB_REQUEST, record.job, request),
                Document(KIND_OUTPUTS_SALT, record.job, salt),
            ],
        )
        return JobReport(record, index, result.words, result.wall_s)

    def _sealed(self, outputs: tuple[OutputFile, ...], project: KnownPartition) -> Written | None:
        if not outputs:
            return None
        body = encode_canonical(
            {each.name: base64.b64encode(each.body).decode() for each in outputs}
        )
        place = WritePlace(project.partition, project.partition_id, project.public_key)
        return self._tools.vault.seal_bytes([body], kind=ObjectKind.OUTPUT, place=place)


def check_may_run(standing: PermitStanding, *, researcher: str, environment: str) -> None:
    """Make sure that a permit lets this person run code in this environment.

    Raises:
        Refused: naming everything that it does not grant.
    """
    permit = standing.permit
    faults = []
    if standing.state is not PermitState.GRANTED:
        faults.append(f"it is {standing.state.value}")
    if permit.upkeep is not None:
        faults.append("it is for upkeep")
    if researcher not in permit.people:
        faults.append(f"it does not name {researcher}")
    if environment != permit.environment_sha256:
        faults.append("it names another study environment")
    if faults:
        raise Refused(
            f"Permit {permit.name} does not let this study run: {'; '.join(faults)}.",
            hint=f"See what it grants: `havre permit show {permit.name}`.",
        )
