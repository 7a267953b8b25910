"""A hub's log on real files, with four witnesses and two mirrors: what the log's tests stand on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from fakes.parties import ROLES, START, Cast, Hands, SetClock
from havre.adapters.log.files import LogFiles
from havre.adapters.log.mirror import MirrorFolder
from havre.adapters.records.sql import SqlRecords
from havre.adapters.witness.local import LocalWitness
from havre.application.audit import PublicLog
from havre.application.journal import Journal
from havre.crypto.random import new_object_id
from havre.crypto.signatures import SigningKey
from havre.domain.events import CatalogueImported, Event, HubOpened
from havre.domain.trust import encode_trust_roots
from havre.errors import Refused
from havre.ports.log import LogMirror
from havre.ports.witness import Witness

WITNESSES = ("witness-1", "witness-2", "witness-3", "witness-4")


def catalogue_event(tables: int) -> CatalogueImported:
    """An event that nothing else depends on."""
    return CatalogueImported(
        event_id=new_object_id(), at=START, catalogue_sha256="0" * 64, tables=tables
    )


@dataclass
class HubLog:
    """Everything of one log under a folder; each call of `journal` is a restart of the hub."""

    root: Path
    cast: Cast = field(default_factory=Cast)
    clock: SetClock = field(default_factory=SetClock)

    def __post_init__(self) -> None:
        self.roots = self.cast.roots
        self.site = self.root / "site"
        self.trust = self.root / "trust.json"
        self.trust.write_bytes(encode_trust_roots(self.roots))
        for witness in self.witnesses():
            with suppress(Refused):
                witness.begin()

    def opened(self) -> Event:
        """The first event."""
        return HubOpened(
            event_id=new_object_id(),
            at=START,
            origin=self.roots.origin,
            trust_sha256=hashlib.sha256(self.trust.read_bytes()).hexdigest(),
        )

    def witness(self, name: str) -> LocalWitness:
        """One witness, as its own process would start."""
        return LocalWitness(
            self.root / name, token=self.cast[name], roots=self.roots, clock=self.clock
        )

    def witnesses(self) -> list[LocalWitness]:
        """All four."""
        return [self.witness(name) for name in WITNESSES]

    def mirror(self, name: str = "custodian-1") -> MirrorFolder:
        """A custodian's copy."""
        return MirrorFolder(self.root / name, roots=self.roots)

    def store(self) -> LogFiles:
        """The hub's own log."""
        return LogFiles(self.site / "log", private=self.root / "private")

    def records(self) -> SqlRecords:
        """The hub's records."""
        return SqlRecords(f"sqlite:///{self.root}/records.sqlite")

    def journal(
        self,
        *,
        signer: str = "hub",
        witnesses: Sequence[Witness] | None = None,
        mirrors: Sequence[LogMirror] | None = None,
    ) -> Journal:
        """The writer of the log, started anew."""
        return Journal(
            store=self.store(),
            records=self.records(),
            token=self.cast[signer],
            roots=self.roots,
            witnesses=self.witnesses() if witnesses is None else witnesses,
            mirrors=[self.mirror()] if mirrors is None else mirrors,
        )

    def public(self) -> PublicLog:
        """A reader that has verified nothing yet."""
        return PublicLog(self.store(), roots=self.roots)

    def filled(self, entries: int) -> HubLog:
        """The same hub after so many acts, one checkpoint each."""
        journal = self.journal()
        journal.record(self.opened())
        for tables in range(1, entries):
            journal.record(catalogue_event(tables))
        return self


def known_cast() -> Cast:
    """Everybody with keys that another process can make again, without a file of keys."""
    return Cast(
        people={
            name: Hands(name, SigningKey.from_seed(bytes([number]) * 32))
            for number, name in enumerate(sorted(ROLES), start=1)
        }
    )


def hub_in(folder: Path) -> HubLog:
    """The hub of a folder, whose parties have the keys that everybody knows."""
    return HubLog(folder, cast=known_cast())
