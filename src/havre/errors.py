"""Every way Havre says no, sorted by what the caller should do next.

An error is one sentence of what happened and one hint of what to do now. Both
can be shown on any screen: they never hold a value from the data, only counts,
column names and identifiers that Havre made itself.

A mistake of the calling programmer is not here: that is a `ValueError` or a
`TypeError`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar


class HavreError(Exception):
    """The root of every refusal; never raised itself.

    >>> str(Refused("The permit has ended.", hint="Ask for a renewal."))
    'The permit has ended. Ask for a renewal.'
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(f"{message} {hint}".strip())
        self.message = message
        self.hint = hint


class InvalidInput(HavreError):
    """What was given cannot be read: mend it and try again."""

    exit_code = 2


class Refused(HavreError):
    """A rule forbids it: asking again changes nothing."""

    exit_code = 3


class NotGenuine(HavreError):
    """Bytes or a signature are not what they claim: keep them, and tell the operator."""

    exit_code = 4


class NotFound(HavreError):
    """What was named does not exist here: check the name."""

    exit_code = 5


class Unavailable(HavreError):
    """A party or a service does not answer: the same call may succeed later."""

    exit_code = 6


class Held(HavreError):
    """A person must decide before this goes on."""

    exit_code = 7


class Unprotected(HavreError):
    """This machine cannot give a protection that the act needs: mend the machine."""

    exit_code = 8


# The first is what a person must look at first. What was tampered with comes before
# what is forbidden, that before what is held, and that before what is misspelled.
_GRAVEST_FIRST = (NotGenuine, Unprotected, Refused, Unavailable, Held, InvalidInput, NotFound)


def gravest(faults: Iterable[HavreError]) -> HavreError:
    """Of several refusals, choose the one whose exit code ends a command that went on.

    >>> gravest([InvalidInput("B."), Held("C.")]).exit_code
    7
    """
    return min(faults, key=_rank)


def _rank(fault: HavreError) -> int:
    kinds = (rank for rank, kind in enumerate(_GRAVEST_FIRST) if isinstance(fault, kind))
    return next(kinds, len(_GRAVEST_FIRST))
