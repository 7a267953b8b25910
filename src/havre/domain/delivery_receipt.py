"""What a hub signs for a holder when it has checked a delivery: the receipt.

It holds the whole check report and what ties it to the public log: the entry, its
proof, the head, and the salt that opens the entry's commitment. So its reader needs
the trust roots and nothing else. Exact counts stand in it: it is for the holder alone.

What it does not show: that the rows are still in the lake. Later versions may withdraw
them, and the log says how many.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from havre.crypto.commitments import check_opening
from havre.crypto.merkle import check_inclusion, inclusion_proof, leaf_hash
from havre.crypto.signatures import check_signature
from havre.crypto.tree import nodes_of
from havre.domain.events import DeliveryChecked, Event, Handover, encode_event, parse_event
from havre.domain.statements import Statement, WrongContext
from havre.domain.transparency import LogKeys, check_head, log_keys
from havre.domain.trust import TrustRoots
from havre.errors import InvalidInput, NotFound, NotGenuine
from havre.formats.canonical import Json, parse_canonical
from havre.formats.statements import parse_envelope, parse_statement, signed_bytes
from havre.values import parse_digest

PREDICATE_DELIVERY_RECEIPT = "havre/v1/delivery-receipt"
REPORT_LABEL = "havre/v1/check-report"
_FIELDS = frozenset(
    {"checked", "checkpoint", "entry", "handovers", "note_sha256", "proof", "report", "salt"}
)


@dataclass(frozen=True, slots=True)
class LogBehind:
    """A whole log, as receipts are made from it.

    events: every entry, in order. checkpoint: the published head over them.
    """

    events: Sequence[Event]
    checkpoint: bytes

    def statements(
        self, wanted: Mapping[str, tuple[bytes, bytes, str]], *, origin: str
    ) -> list[Statement]:
        """Write a receipt for each of some deliveries that were checked.

        wanted: delivery to its check report, the salt of its commitment, and the SHA-256 of
            its signed note.

        Raises:
            NotFound: one was never checked.
        """
        entries = [encode_event(event) for event in self.events]
        node = nodes_of([leaf_hash(entry) for entry in entries])
        handovers: list[Json] = [
            [index, entries[index].decode()]
            for index, event in enumerate(self.events)
            if isinstance(event, Handover)
        ]
        return [
            Statement(
                PREDICATE_DELIVERY_RECEIPT,
                origin,
                delivery,
                {
                    "checked": (index := self._index(delivery)),
                    "checkpoint": self.checkpoint.decode(),
                    "entry": entries[index].decode(),
                    "handovers": handovers,
                    "note_sha256": note_sha256,
                    "proof": [
                        each.hex() for each in inclusion_proof(index, size=len(entries), node=node)
                    ],
                    "report": report.decode(),
                    "salt": salt.hex(),
                },
            )
            for delivery, (report, salt, note_sha256) in wanted.items()
        ]

    def _index(self, delivery: str) -> int:
        for index, event in enumerate(self.events):
            if isinstance(event, DeliveryChecked) and event.delivery == delivery:
                return index
        raise NotFound(f"Delivery {delivery} was not checked yet.")


@dataclass(frozen=True, slots=True)
class DeliveryReceipt:
    """A receipt that holds.

    index: of the entry that says what became of the delivery.
    note_sha256: of the signed note, which the holder has kept.
    report: the check report: outcome, exact counts by file, what became of the contract's rules.
    """

    delivery: str
    index: int
    event: DeliveryChecked
    note_sha256: str
    report: Mapping[str, Any]


def open_receipt(envelope: bytes, *, roots: TrustRoots) -> DeliveryReceipt:
    """Make sure that a receipt is the hub's and rests on its log, and read it. Offline.

    Raises:
        InvalidInput: it is no receipt, or misses something.
        WrongContext: it is a statement of another kind, or another log's.
        NotGenuine: the signature, the head, the proof or the report does not hold.
    """
    parsed = parse_envelope(envelope)
    statement = parse_statement(parsed.payload)
    if statement.predicate_type != PREDICATE_DELIVERY_RECEIPT:
        raise WrongContext("A signed statement is no receipt of a delivery.")
    if statement.origin != roots.origin:
        raise WrongContext("A receipt belongs to another log.")
    body: Mapping[str, Any] = statement.predicate
    try:
        if body.keys() != _FIELDS:
            raise ValueError
        index, entry, report = int(body["checked"]), body["entry"].encode(), body["report"].encode()
        keys = log_keys(roots, [(int(at), _handover(each)) for at, each in body["handovers"]])
        proof = [bytes.fromhex(each) for each in body["proof"]]
        head, _ = check_head(body["checkpoint"].encode(), roots=roots, keys=keys)
        salt, note_sha256 = bytes.fromhex(body["salt"]), parse_digest(body["note_sha256"])
        read: Any = parse_canonical(report)
        outcome, delivery = read["outcome"], read["delivery"]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InvalidInput("A receipt misses something, or spells it otherwise.") from None
    _check_signed(parsed.payload, parsed.signatures, keys=keys, size=head.size)
    check_inclusion(leaf_hash(entry), index=index, size=head.size, proof=proof, root=head.root)
    event = parse_event(entry)
    if not isinstance(event, DeliveryChecked):
        raise NotGenuine("The entry of a receipt does not say what became of a delivery.")
    if {event.delivery, delivery} != {statement.subject} or event.outcome != outcome:
        raise NotGenuine("A receipt is about another delivery than its entry, or says otherwise.")
    check_opening(event.report_commitment, report, label=REPORT_LABEL, salt=salt)
    return DeliveryReceipt(statement.subject, index, event, note_sha256, read)


def check_own(receipt: DeliveryReceipt, note: bytes) -> None:
    """Make sure that a receipt is for the very note that its holder signed.

    Raises:
        NotGenuine: it is for another one of the same name.
    """
    if hashlib.sha256(note).hexdigest() != receipt.note_sha256:
        raise NotGenuine(f"The receipt is for another delivery {receipt.delivery} than was sent.")


def _handover(entry: str) -> Handover:
    event = parse_event(entry.encode())
    if not isinstance(event, Handover):
        raise TypeError
    return event


def _check_signed(
    payload: bytes, signatures: Sequence[tuple[bytes, bytes]], *, keys: LogKeys, size: int
) -> None:
    """The key that signs the log at this size signed the receipt, and nobody else."""
    if [public for public, _ in signatures] != [keys.key_for(size)]:
        raise NotGenuine("A receipt is not signed with the key of the log, or by others too.")
    check_signature(signatures[0][1], signed_bytes(payload), public=signatures[0][0])
