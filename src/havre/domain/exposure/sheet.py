"""A host's fact sheet: who it is, whose it is, where it is, what attests it; each fact with its evidence.

TOML that a person writes, one file for each operator; the form is shown in
`docs/exposure.md`. Read strictly, every fault told. What follows from a sheet is
`domain.exposure.sheet_facts` and `domain.exposure.ownership`.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from havre.domain.exposure.deployment import parse_law
from havre.domain.exposure.evidence import Evidence
from havre.domain.exposure.facts import WHOLE
from havre.domain.exposure.fields import Faults, Fields, read_toml
from havre.domain.shown import show_file
from havre.errors import InvalidInput
from havre.values import parse_name

FORMAT = "havre/v1/host-sheet"
HINT = "Compare with the example in docs/exposure.md."
WARNING_DAYS = 90
_Named = TypeVar("_Named", str, tuple[str, str])
_COUNTRY = re.compile("[A-Z]{2}")


class Part(StrEnum):
    """What an operator does for a hub."""

    STORE = "store"
    MACHINES = "machines"
    CUSTODIAN = "custodian"
    WITNESS = "witness"
    HOLDER = "holder"
    AUTHORITY = "authority"


class Standing(StrEnum):
    """How a qualification stands on a day."""

    NOT_YET = "not yet"
    IN_FORCE = "in force"
    ENDS_SOON = "ends soon"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A seat or a site, in a country by its two letters."""

    name: str
    country: str
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """Somebody who has a share, of the host or of another parent.

    of: short name of the parent it has a share of; empty for the host itself.
    share: hundredths of a percent of the capital or the votes, whichever is more.
    control, veto, appoints: decides otherwise; may forbid; names most of a board.
    ultimate: nobody stands behind it, such as a state or a person.
    """

    name: str
    title: str
    country: str
    of: str
    share: int
    control: bool
    veto: bool
    appoints: bool
    ultimate: bool
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """Somebody whose code or firmware runs on the host's machines."""

    name: str
    title: str
    country: str
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Updates:
    """How code or firmware comes onto the host's machines.

    gated: nothing is installed before the host has let it pass.
    """

    by: tuple[str, ...]
    signatures: int
    gated: bool
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Qualification:
    """What a third party attests: of an offer, from a day, to a day."""

    name: str
    scope: str
    begins_on: datetime.date
    ends_on: datetime.date
    evidence: Evidence

    def standing(self, on: datetime.date) -> Standing:
        """Tell how it stands; from 90 days before its end it is about to end."""
        if on < self.begins_on:
            return Standing.NOT_YET
        if on > self.ends_on:
            return Standing.ENDED
        left = self.ends_on - on
        return Standing.ENDS_SOON if left.days < WARNING_DAYS else Standing.IN_FORCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Argued:
    """A law of which somebody argues that it reaches the host."""

    law: str
    reason: str
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSheet:
    """Everything that is stated of one operator.

    operator: spelled as in the trust roots or in `havre.toml`.
    parts: what it is said to do for this hub, and parts_evidence for it.
    tee: its machines hide their memory from it, by hardware.
    """

    operator: str
    title: str
    seat: Place
    sites: tuple[Place, ...]
    parents: tuple[Parent, ...]
    argued: tuple[Argued, ...]
    makers: tuple[Maker, ...]
    updates: tuple[Updates, ...]
    qualifications: tuple[Qualification, ...]
    parts: tuple[Part, ...]
    parts_evidence: Evidence
    tee: bool


def parse_sheet(document: bytes, *, name: str = "the fact sheet") -> HostSheet:
    """Read a fact sheet.

    name: of its file, for messages.

    Raises:
        InvalidInput: everything that is wrong in it is named.
    """
    what = show_file(name)
    faults = Faults(what)
    top = Fields(read_toml(document, what=what), place="the file", faults=faults)
    if top.text("format") != FORMAT:
        faults.add(f"its format is not {FORMAT}")
    told = top.table("evidence")
    default = told.evidence() if told else None
    if told:
        told.end()
    does = _table(top, "does")
    sheet = HostSheet(
        operator=top.text("operator"),
        title=top.text("title"),
        seat=_place(_table(top, "seat"), default, name="seat"),
        sites=tuple(_place(row, default) for row in top.tables("sites")),
        parents=tuple(_parent(row, default) for row in top.tables("parents")),
        argued=tuple(_argued(row, default) for row in top.tables("arguable")),
        makers=tuple(_maker(row, default) for row in top.tables("makers")),
        updates=tuple(_updates(row, default) for row in top.tables("updates")),
        qualifications=tuple(_qualification(row, default) for row in top.tables("qualifications")),
        parts=_parts(does),
        tee=does.flag("tee", default=False),
        parts_evidence=does.evidence(default),
    )
    does.end()
    top.end()
    _check_parents(sheet, faults)
    _check_makers(sheet, faults)
    faults.raise_if_any(hint=HINT)
    return sheet


def _table(top: Fields, name: str) -> Fields:
    found = top.table(name)
    if found is None:
        top.faults.add(f"{top.place} has no table {name}")
        return Fields({}, place=name, faults=Faults(name))
    return found


def _parse_country(text: str) -> str:
    if not _COUNTRY.fullmatch(text):
        raise InvalidInput("A country is not two letters such as FR.")
    return text


def _place(row: Fields, default: Evidence | None, *, name: str = "") -> Place:
    place = Place(
        name=name or row.text("name"),
        country=row.parsed("country", _parse_country),
        evidence=row.evidence(default),
    )
    row.end()
    return place


def _parent(row: Fields, default: Evidence | None) -> Parent:
    name = row.parsed("name", parse_name)
    parent = Parent(
        name=name,
        title=row.text("title", name),
        country=row.parsed("country", _parse_country),
        of=row.parsed("of", parse_name, ""),
        share=row.share("share"),
        control=row.flag("control", default=False),
        veto=row.flag("veto", default=False),
        appoints=row.flag("appoints", default=False),
        ultimate=row.flag("ultimate", default=False),
        evidence=row.evidence(default),
    )
    row.end()
    return parent


def _argued(row: Fields, default: Evidence | None) -> Argued:
    argued = Argued(
        law=row.parsed("law", parse_law),
        reason=row.text("reason"),
        evidence=row.evidence(default),
    )
    row.end()
    return argued


def _maker(row: Fields, default: Evidence | None) -> Maker:
    name = row.parsed("name", parse_name)
    maker = Maker(
        name=name,
        title=row.text("title", name),
        country=row.parsed("country", _parse_country),
        evidence=row.evidence(default),
    )
    row.end()
    return maker


def _updates(row: Fields, default: Evidence | None) -> Updates:
    updates = Updates(
        by=row.texts("by", parse_name, needed=True),
        signatures=row.whole("signatures", 1),
        gated=row.flag("gated", default=False),
        evidence=row.evidence(default),
    )
    if not 1 <= updates.signatures <= max(1, len(set(updates.by))):
        row.faults.add(f"{row.place} needs more signatures than it has signers, or none")
    row.end()
    return updates


def _qualification(row: Fields, default: Evidence | None) -> Qualification:
    found = Qualification(
        name=row.text("name"),
        scope=row.text("scope"),
        begins_on=row.day("from"),
        ends_on=row.day("until"),
        evidence=row.evidence(default),
    )
    # A day that could not be read is told once, and is the least there is.
    if datetime.date.min < found.ends_on < found.begins_on:
        row.faults.add(f"{row.place} ends before it begins")
    row.end()
    return found


def _parts(row: Fields) -> tuple[Part, ...]:
    words = [each.value for each in Part]

    def parse_part(text: str) -> str:
        if text not in words:
            raise InvalidInput(f"There is no such part; there are {', '.join(words)}.")
        return text

    return tuple(
        Part(each) for each in row.texts("parts", parse_part, needed=True) if each in words
    )


def _check_parents(sheet: HostSheet, faults: Faults) -> None:
    for name, of in _twice([(each.name, each.of or "the host") for each in sheet.parents]):
        faults.add(f"{name} has a share of {of} twice")
    known = {each.name for each in sheet.parents}
    for parent in sheet.parents:
        if parent.of and parent.of not in known:
            faults.add(f"{parent.name} has a share of {parent.of}, of whom nothing is stated")
    for held in sorted({each.of for each in sheet.parents}):
        if sum(each.share for each in sheet.parents if each.of == held) > WHOLE:
            faults.add(f"the shares of {held or 'the host'} are more than 100 % together")


def _check_makers(sheet: HostSheet, faults: Faults) -> None:
    for name in _twice([each.name for each in sheet.makers]):
        faults.add(f"the maker {name} stands twice")
    makers = {each.name for each in sheet.makers}
    pushing = {name for updates in sheet.updates for name in updates.by}
    for name in sorted(pushing - makers):
        faults.add(f"updates come by {name}, who is not among the makers")


def _twice(listed: list[_Named]) -> list[_Named]:
    return sorted({each for each in listed if listed.count(each) > 1})
