"""What parties publish of their own acts, so that they can be held against the log.

Promised: what is published is complete as of the moment it is asked for, and signed
by the party; nothing in it is about a person.
What may be repeated: everything; nothing changes by it.
What may block: another process of the same party.
Final errors: `NotGenuine` (the party's own record was set back or altered).
`Unavailable` is not.
Who may call it: anybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

# Receipts in one answer; a page holds at most so many.
MOST_RECEIPTS = 1000


@dataclass(frozen=True, slots=True)
class CounterPage:
    """Part of a custodian's counter.

    head: the signed head of the whole. receipts: signed, in the order of the answers.
    """

    head: bytes
    receipts: Sequence[bytes]


class Accountable(Protocol):
    """A custodian, as far as it gives account of itself."""

    @property
    def name(self) -> str:
        """Its short name, as in the trust roots."""

    def counter(self, first: int) -> CounterPage:
        """Give the signed head, and the receipts from an answer's number on.

        first: counted from 0; at most `MOST_RECEIPTS` come at once.

        Raises:
            NotGenuine: its own record was set back.
            Unavailable: it does not answer.
        """

    def withdrawals(self) -> Sequence[bytes]:
        """Give the decisions that authorities brought to it directly, as they signed them.

        Raises:
            Unavailable: it does not answer.
        """


class DecisionKeeper(Protocol):
    """A witness, as far as it keeps what authorities tell it."""

    @property
    def name(self) -> str:
        """Its short name, as in the trust roots."""

    def keep_decision(self, envelope: bytes) -> str:
        """Keep an authority's decision that withdraws a permit; returns the permit's name.

        Raises:
            Refused, NotGenuine, InvalidInput: no such decision, or by nobody who may.
            Unavailable: it cannot be kept.
        """

    def withdrawals(self) -> Sequence[bytes]:
        """Give the decisions that it keeps, as they were signed.

        Raises:
            Unavailable: it does not answer.
        """
