"""Publishing: the public site from the log, the signed permits and the released files.

Writes nothing on the log: a hub that has handed its log over can still show what it has.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime

from havre.application.audit import PublicLog
from havre.application.permits import Permits
from havre.application.vault.erasing import KIND_CERTIFICATE, KIND_ORDER, certificate_name
from havre.domain.assets import released_files
from havre.domain.clock_events import ProjectDeleted
from havre.domain.deletion import KIND_DELETION
from havre.domain.drill_receipt import KIND_RECEIPT
from havre.domain.events import OutputReleased, events_of
from havre.domain.key_events import ErasureOrdered, KeysErased
from havre.domain.register import Register, read_register
from havre.domain.transparency import Cosigned, cosigners
from havre.domain.trust import TrustRoots, encode_trust_roots
from havre.errors import InvalidInput, NotFound
from havre.formats.notes import parse_note
from havre.formats.outputs import SIDECAR, parse_outputs
from havre.ports.pages import (
    ShownCatalogue,
    ShownExposure,
    ShownFile,
    SiteFacts,
    SitePages,
    SiteSettings,
)
from havre.ports.records import Records

MAX_SHOWN_ROWS = 60


class Publication:
    """Writes the public site."""

    def __init__(
        self,
        *,
        log: PublicLog,
        permits: Permits,
        records: Records,
        roots: TrustRoots,
        released: Callable[[str, str], bytes],
        pages: SitePages,
        settings: SiteSettings,
        exposure: Callable[[], ShownExposure],
        catalogue: Callable[[], ShownCatalogue],
    ) -> None:
        """Publish one hub.

        exposure: works out who can obtain what of it.
        catalogue: puts together what everybody may know of its datasets.
        released: the bytes of a released file, by request and name; raises `NotFound`.
        records: where the receipts of drills are kept.
        """
        self._log = log
        self._permits = permits
        self._records = records
        self._roots = roots
        self._released = released
        self._pages = pages
        self._settings = settings
        self._exposure = exposure
        self._catalogue = catalogue

    def publish(self) -> list[str]:
        """Write every page anew; returns their paths.

        Raises:
            NotFound: nothing was published on the log yet.
            InvalidInput: a host's fact sheet has faults.
        """
        head = self._log.head()
        if head is None:
            raise NotFound("The log has published nothing yet.")
        register = read_register((each.index, each.event) for each in self._log.entries())
        standings = {each.permit.name: each for each in self._permits.list_permits()}
        checkpoint = self._log.checkpoint()
        behind = cosigners(parse_note(checkpoint), roots=self._roots)
        trust = encode_trust_roots(self._roots)
        return self._pages.write(
            SiteFacts(
                roots=self._roots,
                head=head,
                checkpoint=checkpoint,
                cosigned=sorted(behind, key=lambda each: each.witness.name),
                cosigned_at=_cosigned_at(behind, quorum=self._roots.quorum),
                trust=trust,
                trust_sha256=hashlib.sha256(trust).hexdigest(),
                register=register,
                permits={name: each.permit for name, each in standings.items()},
                signed={name: self._permits.statements(name) for name in standings},
                files=self._shown(register),
                receipts=self._receipts(register),
                settings=self._settings,
                erasures=self._erasures(),
                deletions=self._deletions(),
                exposure=self._exposure(),
                catalogue=self._catalogue(),
            )
        )

    def _receipts(self, register: Register) -> dict[str, bytes]:
        """The receipts that are still here, and what the log says they are."""
        found = {}
        for _, ran in register.drills:
            with suppress(NotFound):
                receipt = self._records.document(KIND_RECEIPT, ran.receipt_sha256)
                if hashlib.sha256(receipt).hexdigest() == ran.receipt_sha256:
                    found[ran.receipt_sha256] = receipt
        return found

    def _erasures(self) -> dict[int, dict[str, bytes]]:
        """The orders and certificates that the log names, and that are here."""
        found: dict[int, dict[str, bytes]] = {}
        for logged in self._log.entries():
            event = logged.event
            if isinstance(event, ErasureOrdered):
                order = self._document(KIND_ORDER, event.statement_sha256, event.statement_sha256)
                found[logged.index] = {"order": order} if order else {}
            elif isinstance(event, KeysErased):
                for name, sha256 in event.certificates.items():
                    place = certificate_name(event.order, name)
                    if certificate := self._document(KIND_CERTIFICATE, place, sha256):
                        found[event.order][name] = certificate
        return found

    def _deletions(self) -> dict[str, bytes]:
        """The certificates of deleted projects that are here, by permit."""
        told = events_of((logged.event for logged in self._log.entries()), ProjectDeleted)
        found = {
            each.permit: self._document(KIND_DELETION, each.statement_sha256, each.statement_sha256)
            for each in told
        }
        return {permit: document for permit, document in found.items() if document}

    def _document(self, kind: str, name: str, sha256: str) -> bytes:
        try:
            document = self._records.document(kind, name)
        except NotFound:
            return b""
        return document if hashlib.sha256(document).hexdigest() == sha256 else b""

    def _shown(self, register: Register) -> dict[str, tuple[ShownFile, ...]]:
        return {
            line.request: self._shown_files(line.released[1])
            for line in register.releases.values()
            if line.released is not None
        }

    def _shown_files(self, released: OutputReleased) -> tuple[ShownFile, ...]:
        """Every file of one release; a file that is not the one on the log is not shown."""
        listed = released_files(released)
        found = {
            name: self._find_genuine(released.request, name, sha256)
            for name, sha256 in sorted(listed.items())
        }
        titles = _titles(found.get(SIDECAR))
        files = []
        for name, content in found.items():
            rows = _rows(content) if content and name.endswith(".csv") else []
            files.append(
                ShownFile(
                    name=name,
                    sha256=listed[name],
                    title=titles.get(name, ""),
                    here=content is not None,
                    rows=rows[: MAX_SHOWN_ROWS + 1],
                    row_count=max(0, len(rows) - 1),
                )
            )
        return tuple(files)

    def _find_genuine(self, request: str, name: str, sha256: str) -> bytes | None:
        try:
            content = self._released(request, name)
        except NotFound:
            return None
        return content if hashlib.sha256(content).hexdigest() == sha256 else None


def _cosigned_at(behind: Iterable[Cosigned], *, quorum: int) -> datetime:
    """When enough witnesses had signed: liars fewer than that cannot make a head look new."""
    return sorted((each.at for each in behind), reverse=True)[quorum - 1]


def _titles(sidecar: bytes | None) -> Mapping[str, str]:
    """What a study says of its files; nothing when its word is missing or cannot be read."""
    try:
        return {} if sidecar is None else {each.name: each.title for each in parse_outputs(sidecar)}
    except InvalidInput:
        return {}


def _rows(content: bytes) -> list[list[str]]:
    return list(csv.reader(content.decode("utf-8", "replace").splitlines(keepends=True)))
