"""Parties with real keys, made on the spot: what a test needs to sign and to believe."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from havre.crypto.signatures import SigningKey
from havre.domain.trust import Party, Role, TrustRoots

ORIGIN = "havre.example/test"
START = datetime(2026, 6, 1, 12, tzinfo=UTC)


@dataclass
class Hands:
    """A party's signing key under the name that witnesses and tokens need."""

    name: str
    key: SigningKey = field(default_factory=SigningKey.generate)

    @property
    def public(self) -> bytes:
        return self.key.public

    @property
    def seal_public(self) -> bytes:
        raise NotImplementedError("this party only signs")

    def sign(self, message: bytes) -> bytes:
        return self.key.sign(message)

    def open_key(self, sealed: bytes, *, info: bytes) -> bytes:
        raise NotImplementedError("this party only signs")


ROLES = {
    "authority-1": Role.AUTHORITY,
    "authority-2": Role.AUTHORITY,
    "checker-1": Role.CHECKER,
    "checker-2": Role.CHECKER,
    "controller": Role.CONTROLLER,
    "custodian-1": Role.CUSTODIAN,
    "custodian-2": Role.CUSTODIAN,
    "custodian-3": Role.CUSTODIAN,
    "holder": Role.HOLDER,
    "hub": Role.HUB,
    "researcher": Role.RESEARCHER,
    "witness-1": Role.WITNESS,
    "witness-2": Role.WITNESS,
    "witness-3": Role.WITNESS,
    "witness-4": Role.WITNESS,
}


@dataclass
class Cast:
    """Everybody of a hub, each of an operator of its own, and the roots that name them."""

    people: dict[str, Hands] = field(default_factory=lambda: {name: Hands(name) for name in ROLES})

    def __getitem__(self, name: str) -> Hands:
        return self.people[name]

    @property
    def roots(self) -> TrustRoots:
        parties = tuple(
            Party(name, role, f"house of {name}", self.people[name].public)
            for name, role in sorted(ROLES.items())
        )
        return TrustRoots(ORIGIN, parties, faulty_witnesses=1, custodian_threshold=2)


@dataclass
class SetClock:
    """A clock that stands until it is moved; an adapter like any other."""

    at: datetime = START

    def now(self) -> datetime:
        return self.at

    def move(self, **by: float) -> None:
        self.at += timedelta(**by)
