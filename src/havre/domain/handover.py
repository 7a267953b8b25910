"""Another key signs the log from now on: the controller's statement that says so.

The log's key never moves between hosts. A new host makes a key of its own, the
controller signs that it takes over, and the old host appends that as its last
entry (`docs/protocols.md`, section 7). Who stops a dead host is another
statement, which is not built yet: a log whose host is lost stays where it is.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

from havre.domain.events import Event, Handover
from havre.domain.statements import Statement, open_statement
from havre.domain.trust import Role, TrustRoots
from havre.errors import InvalidInput, NotGenuine, Refused
from havre.formats.canonical import Json

PREDICATE_HANDOVER = "havre/v1/handover"
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
        HandedOver: the log ends with a handover.
    """
    if events and isinstance(events[-1], Handover):
        raise HandedOver(events[-1], index=len(events) - 1)


def first_size_of(index: int) -> int:
    """The first size of a head that the new key signs, for a handover at this index.

    The head that ends with the handover is the old key's last word, so that
    what it says stands under a signature that everybody knows already.

    >>> first_size_of(6)
    8
    """
    return index + 2


def handover_statement(log_key: bytes, *, index: int, origin: str) -> Statement:
    """Write what the controller signs.

    log_key: the new Ed25519 public key, 32 bytes.
    index: the place the entry will have: the log's size now. A statement for
        one place is worth nothing at another.
    """
    predicate: dict[str, Json] = {"from_size": first_size_of(index), "log_key": log_key.hex()}
    return Statement(PREDICATE_HANDOVER, origin, _SUBJECT, predicate)


def check_handover(handover: Handover, *, index: int, roots: TrustRoots) -> bytes:
    """Make sure that the controller signed this handover for this place, and return the new key.

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
    opened = open_statement(
        envelope,
        roots=roots,
        predicate_type=PREDICATE_HANDOVER,
        origin=roots.origin,
        required={Role.CONTROLLER: 1},
    )
    expected = handover_statement(log_key, index=index, origin=roots.origin)
    if len(log_key) != 32 or opened.statement != expected:
        raise NotGenuine("A handover was signed for another key or another place on the log.")
    return log_key
