"""Speaking with a party that is another process: one act, one message, one answer.

Promised by a channel: it reaches the party that is named and no other; an answer
comes whole or not at all; a refusal of the party is raised here as the same class
with the same sentence.
What may be repeated: whatever the act itself lets be repeated. What was asked and
not answered may have been done.
What may block: the network, for at most the seconds that are named.
Final errors: `Refused`, `NotGenuine` (somebody else answers). `Unavailable` is not.
Who may call it: adapters that speak for a party, and `bootstrap`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from havre.domain.trust import Role

# A party that follows the log first needs more than one that only signs.
ANSWER_WITHIN_S = 15.0
FOLLOW_WITHIN_S = 30.0
# The header of an answer in which the party says who it is.
PARTY_HEADER = "havre-party"


class Channel(Protocol):
    """A way to one party."""

    @property
    def name(self) -> str:
        """The party's short name, as in the trust roots."""

    def call(self, act: str, body: bytes, *, within_s: float = ANSWER_WITHIN_S) -> bytes:
        """Ask for an act, and wait for its answer.

        act: a short name, as the party's desk has it.
        body: the message, canonical JSON.

        Raises:
            HavreError: whatever the party refused with.
            Unavailable: it does not answer in time.
            NotGenuine: somebody else answers, or nobody that speaks as Havre does.
        """


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that a party does when it is asked over a channel.

    answer: message in, answer out; whatever it raises is carried back.
    callers: the roles that may ask, where a channel says who asks.
    direct: it comes from an authority, past the hub: the hub's requests must not
        be able to keep it waiting.
    """

    answer: Callable[[bytes], bytes]
    callers: frozenset[Role]
    direct: bool = False


Desk = Mapping[str, Act]
