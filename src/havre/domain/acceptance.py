"""What a custodian signs when it holds the shares that a ceremony gave it.

Whoever gave his own shares away destroys them only when he has seen this from
everybody who is to hold the new ones: else a hub that loses the new shares, or
never made them, would have the old ones destroyed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Protocol

from havre.domain.certificates import KEEPERS
from havre.domain.statements import Signer, Statement, open_statement, sign_statement
from havre.domain.trust import TrustRoots
from havre.errors import NotGenuine
from havre.formats.canonical import encode_canonical

PREDICATE_ACCEPTANCE = "havre/v1/share-acceptance"


class NamedSigner(Signer, Protocol):
    """A signer that knows its own short name."""

    @property
    def name(self) -> str:
        """As in the trust roots."""


def sign_acceptance(
    shares: Mapping[str, str], *, order: int, order_sha256: str, origin: str, signer: NamedSigner
) -> bytes:
    """Write that a custodian holds shares, and sign it; returns the envelope's bytes.

    shares: opaque partition id to the commitment of the share, as the log has it.
    order: index of the order's entry; order_sha256: of the signed order.
    """
    statement = _statement(
        shares, order=order, order_sha256=order_sha256, origin=origin, custodian=signer.name
    )
    return sign_statement(statement, [signer])


def check_acceptance(
    envelope: bytes,
    *,
    roots: TrustRoots,
    custodian: str,
    order: int,
    order_sha256: str,
    shares: Mapping[str, str],
) -> None:
    """Make sure that a custodian says it holds exactly these shares of this ceremony.

    Raises:
        NotGenuine: somebody else signed it, or it says something else.
        InvalidInput: it is no such statement.
    """
    opened = open_statement(
        envelope,
        roots=roots,
        predicate_type=PREDICATE_ACCEPTANCE,
        origin=roots.origin,
        required={},
    )
    if [(each.name, each.role in KEEPERS) for each in opened.signers] != [(custodian, True)]:
        raise NotGenuine(f"An acceptance of custodian {custodian} is signed by somebody else.")
    expected = _statement(
        shares, order=order, order_sha256=order_sha256, origin=roots.origin, custodian=custodian
    )
    if opened.statement != expected:
        raise NotGenuine(f"Custodian {custodian} has accepted other shares than the log names.")


def _statement(
    shares: Mapping[str, str], *, order: int, order_sha256: str, origin: str, custodian: str
) -> Statement:
    return Statement(
        PREDICATE_ACCEPTANCE,
        origin,
        f"ceremony-{order}",
        {
            "custodian": custodian,
            "order_sha256": order_sha256,
            "partitions": len(shares),
            # The log has the commitments; a ceremony over thousands needs them no second time.
            "shares_sha256": hashlib.sha256(encode_canonical(dict(shares))).hexdigest(),
        },
    )
