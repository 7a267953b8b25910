"""What the log says of the end of keys; `domain.events` reads and spells these like any other.

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
