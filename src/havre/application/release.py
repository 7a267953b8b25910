"""Letting files out: those that two checkers approved, byte for byte, with their manifest.

The entry on the log comes first: what a stranger finds released and not on the
log was not released by this hub. Begun again after a crash, it finishes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from havre.application.audit import PublicLog
from havre.application.journal import Journal
from havre.application.outputs import OutputBundles
from havre.application.permits import Permits
from havre.application.review import Reviews
from havre.crypto.random import new_object_id
from havre.domain.events import Event, JobRan, OutputReleased, ReleaseMoved, events_of
from havre.domain.job import JobRecord
from havre.domain.release import ReleaseState, check_move
from havre.domain.trust import TrustRoots
from havre.errors import NotGenuine
from havre.formats.outputs import SIDECAR, parse_outputs
from havre.formats.ro_crate import NAME, Crate, CrateFile, encode_crate
from havre.ports.clock import Clock
from havre.ports.outputs import ReleaseShelf
from havre.values import instant_text

_MEDIA = {".csv": "text/csv", ".png": "image/png", ".json": "application/json"}


@dataclass(frozen=True, slots=True)
class Released:
    """What left, and where it lies."""

    request: str
    files: tuple[str, ...]
    place: str


class Releases:
    """Lets approved files out."""

    def __init__(
        self,
        *,
        reviews: Reviews,
        bundles: OutputBundles,
        permits: Permits,
        shelf: ReleaseShelf,
        journal: Journal,
        log: PublicLog,
        roots: TrustRoots,
        clock: Clock,
    ) -> None:
        self._reviews = reviews
        self._bundles = bundles
        self._permits = permits
        self._shelf = shelf
        self._journal = journal
        self._log = log
        self._roots = roots
        self._clock = clock

    def release(self, request: str) -> Released:
        """Let the files of an approved request out.

        Raises:
            Refused: it is not approved.
            NotGenuine: a file is not the one that was reviewed.
        """
        self._journal.resume()
        standing = self._reviews.finish(request)
        job = self._bundles.job(standing.job)
        if self._recorded(request) is None:
            check_move(standing.state, ReleaseState.RELEASED)
        files = self._bundles.open(job)
        with self._journal.alone():
            self._let_out(request, job, files)
            place = self._shelf.put(request, files)
        return Released(request, tuple(sorted(files)), place)

    def _let_out(self, request: str, job: JobRecord, files: dict[str, bytes]) -> None:
        """Add the manifest to the files, and record the release unless it is recorded."""
        recorded = self._recorded(request)
        now = self._clock.now() if recorded is None else recorded.at
        files[NAME] = self._crate(request, job, files, at=instant_text(now))
        if recorded is None:
            check_move(self._reviews.standing(request).state, ReleaseState.RELEASED)
            self._record(request, job, files, now=now)
        elif hashlib.sha256(files[NAME]).hexdigest() != recorded.manifest_sha256:
            raise NotGenuine("A release's manifest is not the one on the log.")

    def _recorded(self, request: str) -> OutputReleased | None:
        events = [logged.event for logged in self._log.entries()]
        found = [each for each in events_of(events, OutputReleased) if each.request == request]
        return found[-1] if found else None

    def _crate(self, request: str, job: JobRecord, files: dict[str, bytes], *, at: str) -> bytes:
        titles = {each.name: each.title for each in parse_outputs(files[SIDECAR])}
        events = [logged.event for logged in self._log.entries()]
        (ran,) = [each for each in events_of(events, JobRan) if each.job == job.job]
        return encode_crate(
            Crate(
                request=request,
                title=self._permits.standing(job.permit).permit.title,
                permit=job.permit,
                job=job.job,
                origin=self._roots.origin,
                code_sha256=ran.code_sha256,
                environment_sha256=ran.environment_sha256,
                released_at=at,
                files=[
                    CrateFile(
                        name,
                        titles.get(name, "What the study says of its files"),
                        _MEDIA.get(name[name.rfind(".") :], "application/octet-stream"),
                        hashlib.sha256(body).hexdigest(),
                        len(body),
                    )
                    for name, body in sorted(files.items())
                    if name != NAME
                ],
            )
        )

    def _record(
        self, request: str, job: JobRecord, files: dict[str, bytes], *, now: datetime
    ) -> None:
        events: list[Event] = [
            OutputReleased(
                event_id=new_object_id(),
                at=now,
                request=request,
                permit=job.permit,
                job=job.job,
                files={
                    name: hashlib.sha256(body).hexdigest()
                    for name, body in sorted(files.items())
                    if name != NAME
                },
                manifest_sha256=hashlib.sha256(files[NAME]).hexdigest(),
            ),
            ReleaseMoved(
                event_id=new_object_id(),
                at=now,
                request=request,
                job=job.job,
                state=ReleaseState.RELEASED.value,
                findings_commitment="",
            ),
        ]
        self._journal.record(*events)
