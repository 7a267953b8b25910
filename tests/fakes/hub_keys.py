"""A hub with real custodians, real key rooms and a granted permit: what promise P2 is tried on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path

from fakes.hub_log import HubLog, known_cast
from havre.adapters.custody.local import LocalCustodian
from havre.adapters.keyroom.process import ProcessKeyRoom
from havre.application.ceremony import Ceremonies, KnownPartition, PartitionCatalogue
from havre.application.vault.keys import KeyRelease, KeysWanted
from havre.bootstrap.tokens import PartyToken, create_token, open_token
from havre.crypto.random import new_object_id
from havre.crypto.signatures import key_id
from havre.domain.custody import ShareRequest
from havre.domain.events import KeysRequested, PermitMoved
from havre.domain.permit import OutputRules, Permit, Population, TableGrant
from havre.domain.permit_signing import Ground, grant_predicate
from havre.domain.permit_states import PermitState
from havre.domain.permit_text import PREDICATE_PERMIT
from havre.domain.statements import Statement, envelope_digest, sign_statement
from havre.domain.trust import Role, TrustRoots
from havre.domain.withdrawal import PREDICATE_DECISION
from havre.ports.custody import Custodian
from havre.values import Partition, PartitionKind

CUSTODIANS = ("custodian-1", "custodian-2", "custodian-3")
DCIR_2021 = Partition(PartitionKind.DATASET, "dcir", 2021)
DCIR_2022 = Partition(PartitionKind.DATASET, "dcir", 2022)
PROJECT = Partition(PartitionKind.PROJECT, "diabetes")
SECRET = Partition(PartitionKind.SECRET, "pp-diabetes")
STAGE_2 = Partition(PartitionKind.SECRET, "stage-2")
LANDING = Partition(PartitionKind.LANDING, "landing-00000")
OTHER_LANDING = Partition(PartitionKind.LANDING, "landing-00001")

PERMIT = Permit(
    name="diabetes",
    title="Diabetes by region",
    purpose="Describe the incidence of diabetes.",
    applicant="researcher",
    people=("researcher",),
    period=(date(2021, 1, 1), date(2021, 12, 31)),
    starts_on=date(2026, 1, 1),
    ends_on=date(2026, 12, 31),
    tables=(TableGrant("dcir", "ER_PRS_F", ("BEN_NIR_PSA",)),),
    population=Population(),
    output=OutputRules(11, ("table",)),
    environment_sha256="a" * 64,
    years={"dcir": (2021,)},
)

_AUTHORITIES = ("authority-1", "authority-2")


class _CarelessRelease(KeyRelease):
    """A hub that asks on any ground: what is refused, custodians refuse."""

    def _check_ground(self, wanted: KeysWanted) -> None:
        """Ask all the same."""


# Who signs a permit into each state.
_SIGNERS = {
    PermitState.SUBMITTED: ("researcher",),
    PermitState.ASSESSMENT: _AUTHORITIES[:1],
    PermitState.GRANTED: _AUTHORITIES,
    PermitState.SUSPENDED: _AUTHORITIES[:1],
    PermitState.REVOKED: _AUTHORITIES[:1],
    PermitState.EXPIRED: (),
}


@dataclass
class HubKeys:
    """One hub under a folder, after its ceremony; another process opens the same one again.

    addresses: of the hardware tokens, by the custodians that have one.
    """

    root: Path
    addresses: Mapping[str, str] = field(default_factory=dict)
    log: HubLog = field(init=False)

    def __post_init__(self) -> None:
        founded = (self.root / "log").exists()
        (self.root / "log").mkdir(parents=True, exist_ok=True)
        self.log = HubLog(self.root / "log", cast=known_cast())
        self.tokens = {
            name: open_token(self.root / name)
            if founded
            else create_token(
                self.root / name,
                name=name,
                role=Role.CUSTODIAN,
                operator=f"house of {name}",
                token=self.addresses.get(name, ""),
            )
            for name in CUSTODIANS
        }
        self.roots = self._with_tokens(self.log.roots, self.tokens)
        # The log's own parties are those of the cast; only custodians sign with files.
        self.records = self.log.records()
        self.journal = self.log.journal()
        if founded:
            return
        self.journal.record(self.log.opened())
        self.ceremonies().make(
            [DCIR_2021, DCIR_2022, PROJECT, SECRET, STAGE_2, LANDING, OTHER_LANDING]
        )

    @staticmethod
    def _with_tokens(roots: TrustRoots, tokens: Mapping[str, PartyToken]) -> TrustRoots:
        parties = tuple(
            replace(party, key=tokens[party.name].public) if party.name in tokens else party
            for party in roots.parties
        )
        return replace(roots, parties=parties)

    def custodian(self, name: str) -> LocalCustodian:
        """One custodian, as its own process would start."""
        mirror = self.log.mirror(name)
        return LocalCustodian(
            self.root / name,
            token=open_token(self.root / name),
            roots=self.roots,
            log=self.log.store(),
            mirror=mirror,
            copy=mirror.reader,
            clock=self.log.clock,
        )

    def custodians(self) -> list[LocalCustodian]:
        """All three."""
        return [self.custodian(name) for name in CUSTODIANS]

    def ceremonies(self) -> Ceremonies:
        """Whoever holds ceremonies."""
        return Ceremonies(
            room=ProcessKeyRoom(),
            custodians=self.custodians(),
            threshold=2,
            journal=self.journal,
            log=self.log.public(),
            records=self.records,
            clock=self.log.clock,
            origin=self.roots.origin,
        )

    def release(
        self,
        custodians: Sequence[Custodian] | None = None,
        *,
        kind: type[KeyRelease] = _CarelessRelease,
    ) -> KeyRelease:
        """Whoever gets partitions opened; careless, so that custodians are asked anything."""
        return kind(
            journal=self.journal,
            log=self.log.public(),
            custodians=self.custodians() if custodians is None else custodians,
            threshold=2,
            room=ProcessKeyRoom(),
            clock=self.log.clock,
            roots=self.roots,
        )

    def known(self, partition: Partition) -> KnownPartition:
        """A partition's public half."""
        return PartitionCatalogue(self.records, log=self.log.public()).find(partition)

    def known_any(self, partition: Partition) -> KnownPartition:
        """A partition's public half, erased or not."""
        listed = PartitionCatalogue(self.records, log=self.log.public()).list_partitions()
        return next(each for each in listed if each.partition == partition)

    def signed(
        self,
        permit: Permit = PERMIT,
        *,
        by: Sequence[str] = _AUTHORITIES,
        about: int | None = None,
    ) -> bytes:
        """A permit's text under these signatures, about the entry that comes next on the log."""
        head = self.log.public().head()
        following = head.size if head else 0
        ground = Ground(following if about is None else about, self.log.clock.now())
        statement = Statement(
            PREDICATE_PERMIT, self.roots.origin, permit.name, grant_predicate(permit, ground)
        )
        return sign_statement(statement, [self.log.cast[name] for name in by])

    def decided(self, state: str, *, about: int | None, by: str = "authority-1") -> bytes:
        """An authority's decision about a permit, as it is handed to custodians and to the hub."""
        ground = Ground(about or 0, self.log.clock.now())
        text = {"reason": "a breach", "state": state, **ground.fields}
        statement = Statement(PREDICATE_DECISION, self.roots.origin, "diabetes", text)
        return sign_statement(statement, [self.log.cast[by]])

    def move(
        self,
        envelope: bytes,
        *states: PermitState,
        after: int | None = None,
        permit: str = "diabetes",
    ) -> int:
        """Put a permit's way on the log; returns the index of its last entry."""
        predecessor = after
        for state in states:
            (predecessor,) = self.journal.record(
                PermitMoved(
                    event_id=new_object_id(),
                    at=self.log.clock.now(),
                    permit=permit,
                    state=state.value,
                    predecessor=predecessor,
                    statement_sha256=envelope_digest(envelope),
                    signers=tuple(key_id(self.log.cast[name].public) for name in _SIGNERS[state]),
                )
            )
        if predecessor is None:
            raise ValueError("a permit moves at least once")
        return predecessor

    def granted(self, envelope: bytes | None = None) -> KeysWanted:
        """A permit that was granted, and the request for the year it covers."""
        signed = self.signed() if envelope is None else envelope
        index = self.move(
            signed, PermitState.SUBMITTED, PermitState.ASSESSMENT, PermitState.GRANTED
        )
        return KeysWanted(
            purpose="extract",
            partitions=[self.known(DCIR_2021), self.known(SECRET)],
            permit=index,
            documents={envelope_digest(signed): signed},
        )

    def asked(
        self, key: bytes, *, wanted: KeysWanted | None = None, at: datetime | None = None
    ) -> ShareRequest:
        """A request on the log, made by hand, so that a custodian can be asked by itself."""
        resting = wanted or self.granted()
        (index,) = self.journal.record(
            KeysRequested(
                event_id=new_object_id(),
                at=at or self.log.clock.now(),
                permit=resting.permit,
                deliveries=(),
                partitions=tuple(sorted(known.partition_id for known in resting.partitions)),
                purpose="extract",
                plan_commitment="",
                one_time_key_sha256=hashlib.sha256(key).hexdigest(),
            )
        )
        return ShareRequest(index, key, resting.documents, {})
