"""Another key signs the log from now on: the controller's statement that says so.

The log's key never moves between hosts. A new host makes a key of its own, the
controller signs that it takes over, and the old host appends that as its last
entry (`docs/protocols.md`, section 7). A host that was lost can append nothing:
then the controller signs a recovery, and the new host appends it as its first
entry, behind everything that any mirror has.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Sequence
from typing import TypeGuard

from havre.domain.events import Event, Handover, Recovery, parse_event
from havre.domain.statements import Statement, open_statement
from havre.domain.trust import Role, TrustRoots
from havre.errors import InvalidInput, NotGenuine, Refused
from havre.formats.canonical import Json

PREDICATE_HANDOVER = "havre/v1/handover"
PREDICATE_RECOVERY = "havre/v1/recovery"
_SUBJECT = "log-key"


class HandedOver(Refused):
    """This host's word counts no more: another one signs the log now.

    index: of the handover on the log.
    """

    def __init__(self, handover: Handover, *, index: int) -> None:
        super().__init__(
            f"This hub was handed over on {handover.at:%Y-%m-%d}, in entry {index} of its log:"
            " another host goes on with it, and nothing is done here any more.",
            hint=f"Go to the hub whose host.json has the log key {handover.log_key[:16]}….",
        )
        self.index = index


def check_stays(events: Sequence[Event]) -> None:
    """Make sure that a hub has not left, by the log as it lies in the hub's own directory.

    events: all of them; at the new host the log goes on behind a handover.

    Raises:
        HandedOver: the log ends with a handover; behind a recovery it goes on here.
    """
    if events and is_handover(events[-1]):
        raise HandedOver(events[-1], index=len(events) - 1)


def is_handover(event: Event) -> TypeGuard[Handover]:
    """Tell a handover, behind which another host goes on, from a recovery, which that host wrote."""
    return isinstance(event, Handover) and not isinstance(event, Recovery)


def up_to_change(entries: Iterable[bytes]) -> list[bytes]:
    """Take entries up to a change of keys, that one too: what comes after it is under another key."""
    taken: list[bytes] = []
    for entry in entries:
        taken.append(entry)
        if isinstance(parse_event(entry), Handover):
            break
    return taken


def first_size_of(change: Handover, *, index: int) -> int:
    """The first size of a head that the new key signs, for a change of keys at this index.

    The head that ends with a handover is the old key's last word, so that what it
    says stands under a signature that everybody knows already. A lost host has no
    last word: the head that ends with a recovery is signed by the new key.
    """
    return index + 2 if is_handover(change) else index + 1


def handover_statement(log_key: bytes, *, index: int, origin: str) -> Statement:
    """Write what the controller signs when a host hands over.

    log_key: the new Ed25519 public key, 32 bytes.
    index: the place the entry will have: the log's size now. A statement for
        one place is worth nothing at another.
    """
    predicate: dict[str, Json] = {"from_size": index + 2, "log_key": log_key.hex()}
    return Statement(PREDICATE_HANDOVER, origin, _SUBJECT, predicate)


def recovery_statement(log_key: bytes, *, index: int, origin: str, backup_sha256: str) -> Statement:
    """Write what the controller signs when a host was lost.

    index: the place the entry will have: the size that the longest mirror has.
    backup_sha256: of the backup's signed manifest from which the records come.
    """
    predicate: dict[str, Json] = {
        "backup_sha256": backup_sha256,
        "from_size": index + 1,
        "log_key": log_key.hex(),
    }
    return Statement(PREDICATE_RECOVERY, origin, _SUBJECT, predicate)


def check_handover(handover: Handover, *, index: int, roots: TrustRoots) -> bytes:
    """Make sure that the controller signed this handover or recovery for this place.

    Returns the new key.

    Raises:
        NotGenuine: signed by somebody else, or for another key, place or log.
        Refused: the controller's signature is missing.
        InvalidInput: the entry holds no statement.
    """
    try:
        envelope = base64.b64decode(handover.statement, validate=True)
        log_key = bytes.fromhex(handover.log_key)
    except (binascii.Error, ValueError):
        raise InvalidInput("A handover's entry holds no signed statement.") from None
    if isinstance(handover, Recovery):
        expected = recovery_statement(
            log_key, index=index, origin=roots.origin, backup_sha256=handover.backup_sha256
        )
    else:
        expected = handover_statement(log_key, index=index, origin=roots.origin)
    opened = open_statement(
        envelope,
        roots=roots,
        predicate_type=expected.predicate_type,
        origin=roots.origin,
        required={Role.CONTROLLER: 1},
    )
    if len(log_key) != 32 or opened.statement != expected:
        raise NotGenuine("A handover was signed for another key or another place on the log.")
    return log_key
