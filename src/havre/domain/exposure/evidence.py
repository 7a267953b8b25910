"""How well a fact is known: its grade, the day it was looked at, and where it is from.

Source: the five grades of `docs/exposure.md`.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from enum import IntEnum

MAX_SOURCE_CHARACTERS = 400


class Grade(IntEnum):
    """How a fact is known, from weakest to strongest.

    E0 assumed, E1 declared or in a contract, E2 attested by a third party,
    E3 observed by a probe of ours and signed, E4 also on the public log, where a
    stranger can verify it.

    >>> min(Grade.E2, Grade.E1).name
    'E1'
    """

    E0 = 0
    E1 = 1
    E2 = 2
    E3 = 3
    E4 = 4


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a fact rests on.

    date: the day on which somebody last saw that it is so.
    source: where to look, in words or as an address; never empty.
    """

    grade: Grade
    date: datetime.date
    source: str


def assumed(on: datetime.date, source: str) -> Evidence:
    """Make the evidence of what nobody has stated, or of a what-if."""
    return Evidence(Grade.E0, on, source)
