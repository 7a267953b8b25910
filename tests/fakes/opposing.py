"""A holder's register of people who object, on the small hub."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fakes.small_hub import SmallHub
from havre.application.oppose import OppositionDesk, SentList
from havre.application.oppositions import OppositionIntake
from havre.bootstrap.opposing import OppositionSide, opposition_registers
from havre.domain.opposition_events import OppositionsUpdated


def objectors_file(people: Mapping[str, Mapping[str, str]]) -> bytes:
    """The holder's file: by person, column and number."""
    columns = sorted({column for numbers in people.values() for column in numbers}) or [
        "BEN_NIR_PSA"
    ]
    lines = [";".join(["person", *columns])]
    lines += [
        ";".join([person, *(numbers.get(column, "") for column in columns)])
        for person, numbers in people.items()
    ]
    return ("\n".join(lines) + "\n").encode()


def desk(hub: SmallHub) -> OppositionDesk:
    return OppositionSide(hub.parties / "holder", hub=hub.hub).desk()


def send(
    hub: SmallHub, people: Mapping[str, Mapping[str, str]], *, every_hours: int = 0
) -> SentList:
    return desk(hub).send(objectors_file(people), every_hours=every_hours)


def take_in(hub: SmallHub) -> OppositionIntake:
    opened = hub.open()
    opened.receiving.receive()
    return opposition_registers(opened).take_in()


def object_to(hub: SmallHub, numbers: Sequence[str], *, column: str = "BEN_NIR_PSA") -> int:
    """Have these people, and nobody else, object from now on; returns the entry's index."""
    send(hub, {f"case {place}": {column: number} for place, number in enumerate(numbers)})
    intake = take_in(hub)
    assert (intake.held, intake.refused) == ({}, {})
    (taken,) = intake.taken
    assert isinstance(taken.update, OppositionsUpdated)
    return taken.index
