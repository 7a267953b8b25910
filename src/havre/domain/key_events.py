"""What the log says of keys' shares after their ceremony; `domain.events` spells these like any other.

Opaque partition ids and hashes only: what a partition is, custodians know from
their own shares.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from havre.domain.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureOrdered(Event):
    """The shares of some partitions are to be destroyed; from here on nothing opens them.

    order: the order's own random name.
    ground: one of `domain.erasure.Ground`.
    permit: whose project it is, when a permit's end is the ground; else empty.
    partitions: opaque partition ids, in order.
    statement_sha256: SHA-256 of the signed order.
    signers: key ids of those who signed it.
    """

    kind: ClassVar[str] = "ErasureOrdered"
    order: str
    ground: str
    permit: str
    partitions: tuple[str, ...]
    statement_sha256: str
    signers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysErased(Event):
    """So many custodians destroyed their shares that those which are left give nothing back.

    order: index of the order's entry.
    certificates: custodian to SHA-256 of its signed certificate.
    """

    kind: ClassVar[str] = "KeysErased"
    order: int
    certificates: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResharingOrdered(Event):
    """Others are to hold the shares: from here on these are the hub's trust roots.

    order: the order's own random name.
    holders: who gets shares, by name, in order.
    threshold: how many of them open a partition; `threshold_before` of those before.
    log_size: it is about every partition that lived when the log was so long.
    trust_sha256, previous_sha256: of the trust-root files from now on, and before.
    statement_sha256: SHA-256 of the signed order.
    signers: key ids of those who signed it.
    """

    kind: ClassVar[str] = "ResharingOrdered"
    order: str
    log_size: int
    holders: tuple[str, ...]
    threshold: int
    threshold_before: int
    trust_sha256: str
    previous_sha256: str
    statement_sha256: str
    signers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionsReshared(Event):
    """Partitions have new shares, which count from here on; their key pairs are the same.

    order: index of the order's entry.
    shares: opaque partition id to the commitments of the new shares, by custodian.
    """

    kind: ClassVar[str] = "PartitionsReshared"
    order: int
    shares: dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class OldSharesErased(Event):
    """So many of those who held the shares before have destroyed them that the rest give nothing back.

    order: index of the order's entry.
    certificates: custodian to SHA-256 of its signed certificate.
    """

    kind: ClassVar[str] = "OldSharesErased"
    order: int
    certificates: dict[str, str]
