"""A custodian's counter against the log: every answer has its request, every receipt its answer.

A custodian counts what it has given: a chain of receipts, each of which names the
one before, under a head that it signs anew whenever it is asked. The log says which
requests there were and which receipts the hub got. Whoever has both sees what one
of them hides: an answer that no entry asked for, or a counter that was set back.

Source: `docs/protocols.md`, section 4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from havre.domain.events import Event, KeysReleased, KeysRequested
from havre.domain.receipt import Receipt, open_receipt
from havre.domain.statements import (
    Signer,
    Statement,
    envelope_digest,
    open_statement,
    sign_statement,
)
from havre.domain.trust import Role, TrustRoots
from havre.errors import InvalidInput, NotGenuine
from havre.values import instant_text, parse_instant

PREDICATE_COUNTER = "havre/v1/custodian-counter"
_FIELDS = ["answers", "at", "custodian", "last"]


@dataclass(frozen=True, slots=True)
class CounterHead:
    """How far a custodian has counted, by its own word and clock.

    answers: how many it has given. last: SHA-256 of the last receipt, or nothing.
    """

    custodian: str
    answers: int
    last: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which a custodian's counter and the log differ; always an alarm."""

    custodian: str
    request: int
    what: str


def sign_counter(head: CounterHead, *, origin: str, signer: Signer) -> bytes:
    """Write a counter's head and sign it; returns the envelope's bytes."""
    statement = Statement(
        PREDICATE_COUNTER,
        origin,
        head.custodian,
        {
            "answers": head.answers,
            "at": instant_text(head.at),
            "custodian": head.custodian,
            "last": head.last,
        },
    )
    return sign_statement(statement, [signer])


def open_counter(envelope: bytes, *, roots: TrustRoots, custodian: str) -> CounterHead:
    """Make sure that a custodian, and nobody else, signed a head, and read it.

    Raises:
        NotGenuine, Refused: signed by another party, of another log, about another one.
        InvalidInput: it lacks something.
    """
    opened = open_statement(
        envelope,
        roots=roots,
        predicate_type=PREDICATE_COUNTER,
        origin=roots.origin,
        required={Role.CUSTODIAN: 1},
    )
    body = opened.statement.predicate
    named = (opened.statement.subject, body.get("custodian"), *(s.name for s in opened.signers))
    if named != (custodian,) * 3:
        raise NotGenuine(f"The head of {custodian}'s counter is somebody else's.")
    answers, last = body.get("answers"), body.get("last")
    if sorted(body) != _FIELDS or type(answers) is not int or not isinstance(last, str):
        raise InvalidInput(f"The head of {custodian}'s counter has other fields than it should.")
    return CounterHead(custodian, answers, last, parse_instant(str(body["at"])))


def check_chain(
    receipts: Sequence[bytes], *, head: CounterHead, roots: TrustRoots
) -> dict[str, Receipt]:
    """Make sure that receipts are one chain that ends under a head.

    receipts: the envelopes, in the order of the answers.

    Returns every receipt by the SHA-256 of its envelope, in the same order.

    Raises:
        NotGenuine: one is missing, stands twice, or follows on another one.
        InvalidInput, Refused: one is no receipt of this custodian.
    """
    chain: dict[str, Receipt] = {}
    requests: set[int] = set()
    last = ""
    for number, envelope in enumerate(receipts):
        receipt = open_receipt(envelope, roots=roots, custodian=head.custodian)
        if (receipt.answers_before, receipt.previous) != (number, last):
            raise NotGenuine(f"The counter of {head.custodian} is no chain at answer {number}.")
        if receipt.request in requests:
            raise NotGenuine(f"The counter of {head.custodian} counts one request twice.")
        requests.add(receipt.request)
        last = envelope_digest(envelope)
        chain[last] = receipt
    if (head.answers, head.last) != (len(chain), last):
        raise NotGenuine(
            f"The counter of {head.custodian} says {head.answers} answers and shows {len(chain)}."
        )
    return chain


def compare_counter(
    custodian: str, chain: Mapping[str, Receipt], events: Sequence[Event]
) -> list[Difference]:
    """Hold a custodian's counter against the log.

    chain: as `check_chain` returns it; fetched before the log was, so that every
        request that it answers can be there.
    events: the log, from its first entry.

    Returns every difference, those of answers first. An answer whose receipt the log
    has not is none: the hub may have had enough others.
    """
    found = [
        Difference(custodian, receipt.request, what)
        for receipt in chain.values()
        if (what := _amiss(receipt, events))
    ]
    for event in events:
        if not isinstance(event, KeysReleased) or custodian not in event.receipts:
            continue
        receipt = chain.get(event.receipts[custodian])
        if receipt is None:
            what = "the log has its receipt, and its counter has not: it was set back"
            found.append(Difference(custodian, event.request, what))
        elif receipt.request != event.request:
            what = f"the log has its receipt for request {receipt.request} in this one's place"
            found.append(Difference(custodian, event.request, what))
    return found


def _amiss(receipt: Receipt, events: Sequence[Event]) -> str:
    """Say what an answer has no ground in; nothing when the log has its request."""
    entry = events[receipt.request] if receipt.request < len(events) else None
    if not isinstance(entry, KeysRequested):
        return "it gave an answer, and the log has no such request"
    if receipt.partitions != tuple(sorted(entry.partitions)):
        return "it opened other partitions than the log's entry names"
    return ""
