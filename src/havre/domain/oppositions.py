"""The register of people who object: one list for each holder, whole in every version.

A holder keeps it by its own first pseudonyms and sends it like data, signed and
sealed. What is public of a version is the root of a Merkle tree over leaves that are
commitments under salts of their own: it says nothing about anybody, and whoever
is given the salts of one leaf can see that it is there (`domain.opposition_receipt`).

The list is filled up to a whole hundred with leaves of nobody, and comes by a declared
rhythm whether or not anything has changed: neither its length nor its day tells of
one person. Whoever no longer objects is not in the next list.

Source: Regulation (EU) 2025/327 (EHDS), article 71; `docs/oppositions.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from havre.domain.events import Event, events_of
from havre.domain.opposition_events import OppositionsUpdated
from havre.domain.schema import Column, TableSchema, Treatment
from havre.errors import Refused
from havre.values import parse_name

OPPOSITIONS_DATASET: Final = "oppositions"
# A version a day is the most: one that came faster would tell of fewer people.
LEAST_EVERY_HOURS: Final = 24
MOST_EVERY_HOURS: Final = 24 * 92
# A clock or a nightly job may be a little early; a day's list stays a day's.
_EARLY = timedelta(hours=1)

# As the list lies in the lake: one row for each number of somebody who objects.
REGISTER: Final = TableSchema(
    name="OPPOSITIONS",
    dataset=OPPOSITIONS_DATASET,
    columns=(Column(name="NUMBER", treatment=Treatment.FOREIGN_PSEUDONYM, required=True),),
    timeless="who objects does so to the past as well",
)


def list_name(register: str, version: int) -> str:
    """Name the delivery that a version of a register comes in.

    >>> list_name("holder", 3)
    'oppositions-holder-3'
    """
    return parse_name(f"{OPPOSITIONS_DATASET}-{register}-{version}")


def list_version(delivery: str, *, register: str) -> int | None:
    """Read the version back from a delivery's name; null of any other delivery.

    >>> list_version("oppositions-holder-3", register="holder")
    3
    """
    prefix = f"{OPPOSITIONS_DATASET}-{register}-"
    number = delivery.removeprefix(prefix)
    is_version = delivery.startswith(prefix) and number.isdecimal()
    return int(number) if is_version and list_name(register, int(number)) == delivery else None


def newest_registers(
    entries: Iterable[tuple[int, Event]],
) -> Mapping[str, tuple[int, OppositionsUpdated]]:
    """Find the newest version of each register: index of its entry, and the entry, by register."""
    return {
        event.register: (index, event)
        for index, event in entries
        if isinstance(event, OppositionsUpdated)
    }


def check_follows(events: Iterable[Event], *, register: str, version: int, now: datetime) -> None:
    """Refuse a version that is not newer than the last, or comes before its day.

    Raises:
        Refused: saying when the next is due.
    """
    earlier = [each for each in events_of(events, OppositionsUpdated) if each.register == register]
    if not earlier:
        return
    last = earlier[-1]
    if version <= last.version:
        raise Refused(
            f"The register of {register} has version {last.version} already.",
            hint="Each version has a greater number than the one before.",
        )
    if now < due_at(last) - _EARLY:
        raise Refused(
            f"The next version of the register of {register} is due at"
            f" {due_at(last):%Y-%m-%d %H:%M} UTC, and comes no earlier.",
            hint="So that no version comes because of one person. Keep the list, and send it then.",
        )


def due_at(update: OppositionsUpdated) -> datetime:
    """When the version after this one is due."""
    return update.at + timedelta(hours=update.every_hours)
