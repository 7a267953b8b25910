"""Outputs that wait for their check: sealed bundles, opened for a check or a release and no longer."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable

from havre.application.audit import PublicLog
from havre.application.ceremony import PartitionCatalogue
from havre.application.permits import Permits
from havre.application.run import KIND_JOB, KIND_OUTPUTS_SALT
from havre.application.vault.keys import KeyRelease, KeysWanted
from havre.application.vault.reading import LentKeys, ReadPlace, VaultReader
from havre.crypto.commitments import check_opening
from havre.domain.events import JobRan, events_of
from havre.domain.job import OUTPUTS_LABEL, JobRecord, outputs_document, parse_job
from havre.domain.statements import envelope_digest
from havre.errors import NotFound, NotGenuine, Refused
from havre.formats.canonical import parse_canonical
from havre.formats.manifest import ObjectKind
from havre.ports.records import Records
from havre.values import ObjectId, Partition, PartitionKind

MAX_BUNDLE_BYTES = 256 * 1024 * 1024


class OutputBundles:
    """Finds and opens the outputs of jobs."""

    def __init__(
        self,
        *,
        permits: Permits,
        release: KeyRelease,
        log: PublicLog,
        records: Records,
        reader: Callable[[LentKeys], VaultReader],
    ) -> None:
        self._permits = permits
        self._release = release
        self._log = log
        self._records = records
        self._reader = reader

    def job(self, name: str) -> JobRecord:
        """Find a job's record.

        Raises:
            NotFound: no such job ran here.
        """
        try:
            return parse_job(self._records.document(KIND_JOB, name))
        except NotFound:
            raise NotFound(
                f"There is no job {name}.", hint="See the job's name on the log."
            ) from None

    def open(self, job: JobRecord) -> dict[str, bytes]:
        """Open a job's output files, with the project's key; the opening is on the log.

        Returns plain name to content.

        Raises:
            Refused: the job left nothing, or the permit no longer opens anything.
            NotGenuine: a file is not the one that came out of the job, by the
                commitment that stands on the log.
        """
        self._check_committed(job)
        if not job.bundle:
            raise Refused(f"Job {job.job} left no files.", hint="Only a finished job has outputs.")
        standing = self._permits.standing(job.permit)
        project = PartitionCatalogue(self._records, log=self._log).find(
            Partition(PartitionKind.PROJECT, job.permit)
        )
        wanted = KeysWanted(
            purpose="run",
            partitions=[project],
            permit=standing.index,
            documents={envelope_digest(standing.envelope): standing.envelope},
        )
        with self._release.open(wanted) as keys:
            place = ReadPlace(project.partition, project.partition_id)
            body = b"".join(
                self._reader(keys).open_bytes(
                    ObjectId(job.bundle),
                    kind=ObjectKind.OUTPUT,
                    place=place,
                    sha256=job.bundle_sha256,
                )
            )
        return _files(body, job)

    def _check_committed(self, job: JobRecord) -> None:
        """The records alone are not believed: sealing needs only a public half."""
        events = [logged.event for logged in self._log.entries()]
        ran = [each for each in events_of(events, JobRan) if each.job == job.job]
        if len(ran) != 1 or ran[0].permit != job.permit:
            raise NotGenuine(f"The log does not say once that job {job.job} ran.")
        salt = self._records.document(KIND_OUTPUTS_SALT, job.job)
        document = outputs_document(job.files)
        check_opening(ran[0].outputs_commitment, document, label=OUTPUTS_LABEL, salt=salt)


def _files(body: bytes, job: JobRecord) -> dict[str, bytes]:
    bundle = parse_canonical(body, limit_bytes=MAX_BUNDLE_BYTES)
    if not isinstance(bundle, dict):
        raise NotGenuine("A job's sealed outputs cannot be read.")
    files = {name: base64.b64decode(str(content)) for name, content in bundle.items()}
    found = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    if found != dict(job.files):
        raise NotGenuine(
            f"The files of job {job.job} are not those that came out of it.",
            hint="Run the study again, and tell the operator.",
        )
    return files
