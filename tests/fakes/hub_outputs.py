"""A hub whose jobs have left outputs: what review and release are tried on.

The outputs are sealed and logged as `application.run` does it; only the sandbox
is left out, since nothing here depends on who wrote the bytes.
"""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fakes.hub_keys import PERMIT, PROJECT, HubKeys
from havre.adapters.objects.local import LocalObjects
from havre.adapters.outputs.folder import ShelfFolder
from havre.adapters.tables.parquet import ParquetTables
from havre.application.outputs import OutputBundles
from havre.application.permits import KIND_PERMIT, Permits
from havre.application.release import Releases
from havre.application.review import Reviews
from havre.application.run import KIND_JOB, KIND_OUTPUTS_SALT
from havre.application.vault.reading import LentKeys, VaultReader
from havre.application.vault.sealing import VaultWriter, WritePlace
from havre.crypto.commitments import commit_to, new_salt
from havre.crypto.random import new_object_id
from havre.domain.events import (
    Event,
    ExtractMade,
    JobRan,
    KeysReleased,
    KeysRequested,
    VersionPublished,
)
from havre.domain.job import OUTPUTS_LABEL, JobRecord, encode_job, outputs_document, parse_job
from havre.domain.permit import OutputRules
from havre.domain.permit_states import PermitState
from havre.domain.schema import Catalogue
from havre.domain.statements import envelope_digest
from havre.formats.canonical import Json, encode_canonical
from havre.formats.manifest import ObjectKind
from havre.ports.records import Document

ZEROS = "0" * 64
VERIFIER = Path(__file__).parents[2] / "tools/verify_log.py"
GOOD_TABLE = b"region,cases,rate\nBretagne,120,3.25\nCorse,14,2.75\n"
SMALL_TABLE = b"region,cases,rate\nBretagne,120,3.25\nCorse,4,2.75\n"


def sidecar(*files: Mapping[str, Any]) -> bytes:
    """What a study says of its files, in its one spelling."""
    usual: dict[str, Any] = {
        "counts": [],
        "kind": "table",
        "measures": [],
        "title": "A",
        "underlying": None,
    }
    whole: list[Json] = [{**usual, **file} for file in files]
    return encode_canonical({"format": "havre/v1/outputs", "files": whole}) + b"\n"


def outputs(table: bytes = GOOD_TABLE) -> dict[str, bytes]:
    """One table by region, and what the study says of it."""
    return {
        "outputs.json": sidecar({"name": "rates.csv", "title": "By region", "counts": ["cases"]}),
        "rates.csv": table,
    }


@dataclass
class HubOutputs(HubKeys):
    """One hub with a granted permit and an extract; `left` adds a job."""

    def __post_init__(self) -> None:
        super().__post_init__()
        permit = replace(PERMIT, output=OutputRules(11, ("table", "figure", "text")))
        envelope = self.signed(permit)
        self.records.commit([], [Document(KIND_PERMIT, envelope_digest(envelope), envelope)])
        self.granted_at = self.move(
            envelope, PermitState.SUBMITTED, PermitState.ASSESSMENT, PermitState.GRANTED
        )
        self.objects = LocalObjects(self.root / "store")
        self.tables = ParquetTables()
        self.extract = self._extracted()
        self.shelf = self.log.site / "releases"

    def _lend(self, purpose: str) -> None:
        """Say on the log that custodians lent the project's keys."""
        at = self.log.clock.now()
        (request,) = self.journal.record(
            KeysRequested(
                event_id=new_object_id(),
                at=at,
                permit=self.granted_at,
                deliveries=(),
                partitions=(self.known(PROJECT).partition_id,),
                purpose=purpose,
                plan_commitment=ZEROS,
                one_time_key_sha256=ZEROS,
            )
        )
        self.journal.record(
            KeysReleased(event_id=new_object_id(), at=at, request=request, receipts={})
        )

    def _extracted(self) -> int:
        at = self.log.clock.now()
        self._lend("extract")
        (version,) = self.journal.record(
            VersionPublished(
                event_id=new_object_id(), at=at, dataset="dcir", parent=None, manifests={}, rows=0
            )
        )
        (extract,) = self.journal.record(
            ExtractMade(
                event_id=new_object_id(),
                at=at,
                permit="diabetes",
                partition=self.known(PROJECT).partition_id,
                versions={"dcir": version},
                plan_commitment=ZEROS,
                manifest_sha256=ZEROS,
                rows=0,
            )
        )
        return extract

    def sealed(self, files: Mapping[str, bytes]) -> tuple[str, str]:
        """Seal outputs to the project; anybody who has its public half can."""
        known = self.known(PROJECT)
        body = {name: base64.b64encode(content).decode() for name, content in files.items()}
        stored = VaultWriter(self.objects, self.tables, origin=self.roots.origin).seal_bytes(
            [encode_canonical(dict(body))],
            kind=ObjectKind.OUTPUT,
            place=WritePlace(known.partition, known.partition_id, known.public_key),
        )
        return str(stored.object_id), str(stored.sha256)

    def left(self, job: str, files: Mapping[str, bytes] | None = None) -> str:
        """A job that ran and left these files; returns its name."""
        content = outputs() if files is None else files
        bundle, bundle_sha256 = self.sealed(content)
        record = JobRecord(
            job=job,
            permit="diabetes",
            researcher="researcher",
            outcome="finished",
            files={name: hashlib.sha256(body).hexdigest() for name, body in content.items()},
            bundle=bundle,
            bundle_sha256=bundle_sha256,
            request=ZEROS,
        )
        salt = new_salt()
        self._lend("run")
        self.journal.record(
            JobRan(
                event_id=new_object_id(),
                at=self.log.clock.now(),
                job=job,
                permit="diabetes",
                extract=self.extract,
                code_sha256=ZEROS,
                environment_sha256=ZEROS,
                outcome="finished",
                outputs_commitment=commit_to(
                    outputs_document(record.files), label=OUTPUTS_LABEL, salt=salt
                ),
            ),
            documents=[
                Document(KIND_JOB, job, encode_job(record)),
                Document(KIND_OUTPUTS_SALT, job, salt),
            ],
        )
        return job

    def job(self, name: str) -> JobRecord:
        """A job as the hub's records have it."""
        return parse_job(self.records.document(KIND_JOB, name))

    def rewrite_job(self, record: JobRecord) -> None:
        """Change a job's record behind the hub's back."""
        self.records.commit([], [Document(KIND_JOB, record.job, encode_job(record))])

    def replace_outputs(self, job: str, files: Mapping[str, bytes]) -> None:
        """Put other files in place of a job's: sealed well, and the records mended to match."""
        bundle, bundle_sha256 = self.sealed(files)
        hashes = {name: hashlib.sha256(body).hexdigest() for name, body in files.items()}
        changed = replace(self.job(job), bundle=bundle, bundle_sha256=bundle_sha256, files=hashes)
        self.rewrite_job(changed)

    def events(self) -> list[Event]:
        """Everything on the log."""
        return [logged.event for logged in self.log.public().entries()]

    def _reader(self, keys: LentKeys) -> VaultReader:
        return VaultReader(self.objects, self.tables, origin=self.roots.origin, keys=keys)

    def permits(self) -> Permits:
        """Where permits stand."""
        return Permits(
            journal=self.journal,
            log=self.log.public(),
            records=self.records,
            catalogue=Catalogue(()),
            roots=self.roots,
            clock=self.log.clock,
        )

    def bundles(self) -> OutputBundles:
        """Sealed outputs."""
        return OutputBundles(
            permits=self.permits(),
            release=self.release(),
            log=self.log.public(),
            records=self.records,
            reader=self._reader,
        )

    def reviews(self) -> Reviews:
        """Review, as a hub that has just started."""
        return Reviews(
            bundles=self.bundles(),
            permits=self.permits(),
            journal=self.journal,
            log=self.log.public(),
            records=self.records,
            roots=self.roots,
            clock=self.log.clock,
        )

    def releases(self, reviews: Reviews | None = None) -> Releases:
        """Release, as a hub that has just started."""
        return Releases(
            reviews=self.reviews() if reviews is None else reviews,
            bundles=self.bundles(),
            permits=self.permits(),
            shelf=ShelfFolder(self.shelf),
            journal=self.journal,
            log=self.log.public(),
            roots=self.roots,
            clock=self.log.clock,
        )

    def restarted(self) -> HubOutputs:
        """The same hub as another process would have it: its own journal and its own records."""
        again = copy(self)
        again.records, again.journal = self.log.records(), self.log.journal()
        return again

    def submitted(self, request: str = "r1", job: str = "job-1") -> None:
        """A request for good outputs."""
        self.reviews().submit(request, self.left(job), researcher=self.log.cast["researcher"])

    def voted(self, *votes: str, request: str = "r1") -> None:
        """The checkers' votes, in order of name."""
        for number, vote in enumerate(votes, start=1):
            self.reviews().vote(request, vote, checker=self.log.cast[f"checker-{number}"])

    def approved(self, request: str = "r1", job: str = "job-1") -> None:
        """A request that both checkers approved."""
        self.submitted(request, job)
        self.voted("approve", "approve", request=request)

    def public_files(self) -> dict[str, bytes]:
        """Everything that stands in the public place of released files."""
        return {
            path.relative_to(self.shelf).as_posix(): path.read_bytes()
            for path in sorted(Path(self.shelf).rglob("*"))
            if path.is_file()
        }

    def stranger(self) -> subprocess.CompletedProcess[str]:
        """What somebody who has only the site and the trust roots finds."""
        words = [sys.executable, "-I", VERIFIER, self.log.site, "--trust", self.log.trust]
        return subprocess.run(
            list(map(str, words)), capture_output=True, text=True, check=False, timeout=60, env={}
        )
