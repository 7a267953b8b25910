"""What scrubbing keeps in the private records: how far it came, and what it found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from havre.application.vault.survey import Survey
from havre.domain.inventory import Damage
from havre.errors import InvalidInput, NotFound
from havre.formats.canonical import Json, encode_canonical, parse_canonical
from havre.ports.records import Document, Records
from havre.values import ObjectId, instant_text, parse_instant, parse_object_id

KIND_BEGUN = "scrub-begun"
KIND_FOUND = "scrub-found"
_LIMIT_BYTES = 64 * 1024 * 1024


@dataclass(slots=True)
class BegunScrub:
    """A scrub on its way.

    log_size: what the log names up to here is scrubbed; what was written since, next time.
    """

    log_size: int
    survey: Survey


@dataclass(frozen=True, slots=True)
class FoundFaults:
    """What the last scrub that came to its end found in a store, less what was repaired."""

    at: datetime
    faults: dict[ObjectId, Damage]


class ScrubNotes:
    """Notes by store."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def find_begun(self, store: str) -> BegunScrub | None:
        """Find a scrub that was cut short; what cannot be read is as good as none."""
        body = self._read(KIND_BEGUN, store)
        if body is None:
            return None
        return BegunScrub(
            body["log_size"],
            Survey(body["after"], body["objects"], body["size_bytes"], _faults(body["faults"])),
        )

    def keep_begun(self, store: str, begun: BegunScrub) -> None:
        """Note how far a scrub came."""
        survey = begun.survey
        self._write(
            KIND_BEGUN,
            store,
            {
                "after": survey.after,
                "faults": _faults_json(survey.faults),
                "log_size": begun.log_size,
                "objects": survey.objects,
                "size_bytes": survey.size_bytes,
            },
        )

    def forget_begun(self, store: str) -> None:
        """Forget how far a scrub came."""
        self._records.forget_document(KIND_BEGUN, store)

    def find_found(self, store: str) -> FoundFaults | None:
        """Find what the last scrub of a store found."""
        body = self._read(KIND_FOUND, store)
        if body is None:
            return None
        return FoundFaults(parse_instant(body["at"]), _faults(body["faults"]))

    def keep_found(self, store: str, faults: dict[ObjectId, Damage], *, at: datetime) -> None:
        """Keep what a scrub found, or what repairing has left of it."""
        body: Json = {"at": instant_text(at), "faults": _faults_json(faults)}
        self._write(KIND_FOUND, store, body)

    def _read(self, kind: str, store: str) -> Any:
        try:
            return parse_canonical(self._records.document(kind, store), limit_bytes=_LIMIT_BYTES)
        except (NotFound, InvalidInput):
            return None

    def _write(self, kind: str, store: str, body: Json) -> None:
        self._records.commit([], [Document(kind, store, encode_canonical(body))])


def _faults(body: dict[str, str]) -> dict[ObjectId, Damage]:
    return {parse_object_id(name): Damage(what) for name, what in body.items()}


def _faults_json(faults: dict[ObjectId, Damage]) -> dict[str, Json]:
    return {str(name): damage.value for name, damage in faults.items()}
