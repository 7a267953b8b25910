"""Upkeep: what the hub opens to look after its own data, under a permit that is used once.

Compaction puts many small files of a partition together; replaying looks at rows
that were set aside again. Neither gives anybody anything, and both read data of
every person. So neither has a standing right to keys: the controller asks, two
authorities sign, for some days and some partitions.

How such a permit is written is `domain.permit_text`; what a custodian makes of it
is `domain.custody`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

from havre.errors import Refused

# Long enough to find a quiet night; no standing right.
UPKEEP_DAYS = 14
# How often such a permit opens keys in its whole life. What it is for ends it; the other
# times are there for a hub that dies in between, as with a delivery, or that only looks.
UPKEEP_OPENINGS = 3
# The hub's own pseudonym secret, of the second stage.
STAGE_2_SECRET = "stage-2"
# A dataset's rows that were set aside lie in a dataset of their own.
ASIDE_SUFFIX = "-aside"


class UpkeepKind(StrEnum):
    """What a permit for upkeep is for; also the purpose of its requests for keys."""

    COMPACT = "compact"
    QUARANTINE = "quarantine"


class UpkeepUsed(Refused):
    """A permit for upkeep has done what it is for, or was opened as often as may be."""


def aside_dataset(dataset: str) -> str:
    """Name the dataset in which a dataset's rows lie that were set aside.

    >>> aside_dataset("dcir")
    'dcir-aside'
    """
    return f"{dataset}{ASIDE_SUFFIX}"


def check_unused(permit: str, *, openings: Sequence[bool], has_version: bool) -> None:
    """Make sure that a permit for upkeep may be opened once more.

    openings: its requests for keys on the log, each true when the log closed it.
    has_version: whether the log has a version that was made under it.

    Raises:
        UpkeepUsed: it did what it is for; a request of it stands open; or it was
            opened `UPKEEP_OPENINGS` times.

    >>> check_unused("compact-dcir", openings=[True, True], has_version=False)
    """
    if has_version:
        raise UpkeepUsed(
            f"Permit {permit} has been used: a version was made under it.",
            hint="It is good for one. Ask for another permit.",
        )
    if not all(openings):
        raise UpkeepUsed(
            f"Permit {permit} is being opened already.",
            hint="Wait for the other run to end; what a dead one left open, the next act closes.",
        )
    if len(openings) >= UPKEEP_OPENINGS:
        raise UpkeepUsed(
            f"Permit {permit} was opened {UPKEEP_OPENINGS} times, and no more is allowed.",
            hint="Find out why nothing came of it, then ask for another permit.",
        )


def list_reached(
    kind: UpkeepKind, *, datasets: Iterable[str], years: Sequence[int]
) -> dict[str, tuple[int, ...]]:
    """Say which lake partitions a permit for upkeep reaches, as its signed text has it.

    years: of compaction; rows set aside have none.

    >>> list_reached(UpkeepKind.QUARANTINE, datasets=["dcir"], years=[])
    {'dcir-aside': (0,)}
    """
    if kind is UpkeepKind.QUARANTINE:
        return {aside_dataset(dataset): (0,) for dataset in sorted(datasets)}
    return {dataset: tuple(sorted(years)) for dataset in sorted(datasets)}
