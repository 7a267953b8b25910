"""What a custodian signs when it has opened shares: one receipt for each answer, in a chain.

The custodian counts by it, the hub puts its hash on the log, an auditor compares
both. Each side opens it with its own trust roots: a receipt that names another
custodian, request or partition than it should is none.

Source: `docs/protocols.md`, section 4.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from havre.domain.certificates import KEEPERS
from havre.domain.statements import Signer, Statement, open_statement, sign_statement
from havre.domain.trust import TrustRoots
from havre.errors import InvalidInput, NotGenuine

PREDICATE_RECEIPT = "havre/v1/share-receipt"
_FIELDS = ["answers_before", "custodian", "partitions", "previous"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """One answer of one custodian.

    request: index of the `KeysRequested` entry.
    partitions: opaque ids of what was opened, in order.
    answers_before: how many answers the custodian gave before this one.
    previous: SHA-256 of the receipt before, or nothing for the first.
    """

    custodian: str
    request: int
    partitions: tuple[str, ...]
    answers_before: int
    previous: str

    @property
    def subject(self) -> str:
        """What its statement is about."""
        return f"request-{self.request}"


def sign_receipt(receipt: Receipt, *, origin: str, signer: Signer) -> bytes:
    """Write a receipt and sign it; returns the envelope's bytes."""
    statement = Statement(
        PREDICATE_RECEIPT,
        origin,
        receipt.subject,
        {
            "answers_before": receipt.answers_before,
            "custodian": receipt.custodian,
            "partitions": [*receipt.partitions],
            "previous": receipt.previous,
        },
    )
    return sign_statement(statement, [signer])


def open_receipt(envelope: bytes, *, roots: TrustRoots, custodian: str) -> Receipt:
    """Make sure that a custodian, and nobody else, signed a receipt, and read it.

    custodian: the short name of the one that gave it.

    Raises:
        NotGenuine: signed by another party, of another log, or about another custodian.
        InvalidInput: not an envelope of ours, or it lacks something.
        Refused: it does not hold.
    """
    opened = open_statement(
        envelope,
        roots=roots,
        predicate_type=PREDICATE_RECEIPT,
        origin=roots.origin,
        required={},
    )
    body = opened.statement.predicate
    # The escrow answers in a ceremony, and a former custodian gives its last shares there.
    if [(each.name, each.role in KEEPERS) for each in opened.signers] != [(custodian, True)]:
        raise NotGenuine(f"A receipt of custodian {custodian} is signed by somebody else.")
    partitions, before = body.get("partitions"), body.get("answers_before")
    if not isinstance(partitions, list) or type(before) is not int or before < 0:
        raise InvalidInput("A receipt does not say what was opened, and after how many answers.")
    number = opened.statement.subject.removeprefix("request-")
    receipt = Receipt(
        custodian,
        int(number) if number.isdecimal() else -1,
        tuple(str(partition) for partition in partitions),
        before,
        str(body.get("previous")),
    )
    about = (opened.statement.subject, body.get("custodian"))
    if sorted(body) != _FIELDS or about != (receipt.subject, custodian) or receipt.request < 0:
        raise NotGenuine(f"A receipt of custodian {custodian} is about something else.")
    return receipt


def check_receipt(
    envelope: bytes,
    *,
    roots: TrustRoots,
    custodian: str,
    request: int,
    partitions: Collection[str],
) -> None:
    """Make sure that a receipt is this custodian's, for this request and nothing else.

    partitions: opaque ids of what was asked for.

    Raises:
        NotGenuine, InvalidInput, Refused: it is not; from `open_receipt` too.
    """
    receipt = open_receipt(envelope, roots=roots, custodian=custodian)
    if receipt.request != request or receipt.partitions != tuple(sorted(partitions)):
        raise NotGenuine(f"A receipt of custodian {custodian} is about another request.")
