"""A small log with a ceremony that gives shares to others: what its tests arrange with."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from fakes.parties import ORIGIN, START, Cast
from havre.crypto.random import new_object_id
from havre.domain.events import (
    Event,
    HubOpened,
    KeysReleased,
    KeysRequested,
    PartitionsCreated,
)
from havre.domain.key_events import PartitionsReshared, ResharingOrdered
from havre.domain.resharing import (
    CeremonyOrder,
    open_ceremony,
    sign_ceremony,
)
from havre.domain.succession import trust_digest
from havre.domain.trust import TrustRoots

HOLDERS = ("custodian-1", "custodian-2", "custodian-3")
ONE, TWO = "1" * 32, "2" * 32
KEY = bytes(1216)
# Entry 0 opens the log, 1 makes two partitions, 2 is the order.
ORDER = 2


def order_of(roots: TrustRoots, **changes: object) -> CeremonyOrder:
    order = CeremonyOrder(
        name="a" * 32,
        holders=HOLDERS,
        threshold=2,
        trust_sha256=trust_digest(roots),
        previous_sha256=trust_digest(roots),
        decided_at=START,
        log_size=2,
    )
    return replace(order, **changes)  # type: ignore[arg-type]


def signed(cast: Cast, order: CeremonyOrder) -> bytes:
    return sign_ceremony(order, origin=ORIGIN, signers=[cast["controller"], cast["authority-1"]])


def logged(cast: Cast, envelope: bytes, **changes: object) -> ResharingOrdered:
    read = open_ceremony(envelope, roots=cast.roots)
    entry = ResharingOrdered(
        event_id=new_object_id(),
        at=START,
        order=read.order.name,
        log_size=read.order.log_size,
        holders=read.order.holders,
        threshold=read.order.threshold,
        threshold_before=2,
        trust_sha256=read.order.trust_sha256,
        previous_sha256=read.order.previous_sha256,
        statement_sha256=read.sha256,
        signers=(),
    )
    return replace(entry, **changes)  # type: ignore[arg-type]


def made() -> list[Event]:
    shares = {name: f"old of {name}" for name in HOLDERS}
    return [
        HubOpened(event_id=new_object_id(), at=START, origin=ORIGIN, trust_sha256="0" * 64),
        PartitionsCreated(
            event_id=new_object_id(),
            at=START,
            public_keys={ONE: "0" * 64, TWO: "0" * 64},
            shares={ONE: shares, TWO: shares},
        ),
    ]


def reshared(*partitions: str, order: int = ORDER) -> PartitionsReshared:
    shares = {name: f"new of {name}" for name in HOLDERS}
    return PartitionsReshared(
        event_id=new_object_id(), at=START, order=order, shares=dict.fromkeys(partitions, shares)
    )


def lent(*by: str, at: int = ORDER + 1) -> list[Event]:
    """The request for a ceremony's shares, as entry `at`, and who gave some."""
    released = KeysReleased(
        event_id=new_object_id(), at=START, request=at, receipts=dict.fromkeys(by, "1" * 64)
    )
    return [asked(ONE, TWO), released]


def ordered(cast: Cast) -> tuple[bytes, list[Event]]:
    """A signed order, and the log with it."""
    envelope = signed(cast, order_of(cast.roots))
    return envelope, [*made(), logged(cast, envelope)]


def asked(*partitions: str, **changes: object) -> KeysRequested:
    entry = KeysRequested(
        event_id=new_object_id(),
        at=START,
        permit=None,
        deliveries=(),
        partitions=partitions,
        purpose="reshare",
        plan_commitment="",
        one_time_key_sha256=hashlib.sha256(KEY).hexdigest(),
        order=ORDER,
    )
    return replace(entry, **changes)  # type: ignore[arg-type]
