"""A hub's own deployment, derived from how it is set up, from its log and from fact sheets.

Nothing here is typed by hand: who holds what follows from where each party stands,
what was opened from the log, where people stand from their sheets. Of whom there
is no sheet nothing is known, and the facts say so.

The rules of the derivation are those of `docs/exposure.md`:

- Whatever stands in a directory of the hub's machine, or behind a socket on it, is
  in the hands of whoever runs that machine, whatever the trust roots say.
- A store keeps for ever what it was once given.
- Every generation ever opened is known to whoever runs the hub's machine.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import combinations

from havre.domain.exposure.deployment import (
    Deployment,
    Message,
    MessageKind,
    check_deployment,
    is_european,
)
from havre.domain.exposure.evidence import Evidence, Grade, assumed
from havre.domain.exposure.facts import (
    Arguable,
    Fact,
    Function,
    Holds,
    Owns,
    Public,
    Push,
    Subject,
    System,
    Threshold,
    Unstated,
)
from havre.domain.exposure.ownership import settle_control
from havre.domain.exposure.sheet import HostSheet, Part
from havre.domain.exposure.sheet_facts import facts_of_sheet, people_of_sheet, updates_of_sheet
from havre.domain.exposure.terms import seal
from havre.domain.trust import THIS_MACHINE, Role
from havre.values import PartitionKind

THIS_HOUSE = "this-machine"
UNSTATED_MAKERS = "unstated-makers"
# What these two are called where no sheet names them.
THIS_HOUSE_TITLE = "This machine"
UNSTATED_MAKERS_TITLE = "Makers of the machines' code and firmware (unstated)"
MACHINES = "machines"
# Asked about where nobody has stated a law from outside the Union: the one of the alarm.
_ASKED_LAW = "US"
_PARTS = {
    Role.AUTHORITY: Part.AUTHORITY,
    Role.CUSTODIAN: Part.CUSTODIAN,
    Role.ESCROW: Part.CUSTODIAN,
    Role.HOLDER: Part.HOLDER,
    Role.HUB: Part.MACHINES,
    Role.WITNESS: Part.WITNESS,
}
# What a hub has, what it is called, and how it is judged.
MESSAGES = (
    Message("base", MessageKind.BASE, "The base: partitions that were never opened"),
    Message("opened", MessageKind.WORKING_SET, "Partitions that were opened at least once"),
    Message("working-set", MessageKind.WORKING_SET, "Extracts, and rows while they are worked on"),
    Message("deliveries", MessageKind.BASE, "Deliveries as they came, under first pseudonyms"),
    Message("second-secret", MessageKind.SECRET, "The hub's secret of pseudonyms"),
    Message("identities", MessageKind.SECRET, "Who stands behind a pseudonym"),
    Message("metadata", MessageKind.METADATA, "What a store sees: sizes, times, accesses"),
    Message("records", MessageKind.METADATA, "The hub's private records"),
    Message("log", MessageKind.LOG, "The public log"),
)
# Sealed at the stores, by message; each class of partitions has a seed of its own.
_SEALED = ("base", "opened", "working-set", "deliveries")


@dataclass(frozen=True, slots=True)
class PlacedParty:
    """One party, and where it stands.

    house: who runs it, as the trust roots say.
    apart: it answers from another machine than the hub's.
    """

    name: str
    role: Role
    house: str
    apart: bool


@dataclass(frozen=True, slots=True)
class PlacedStore:
    """One store: its short name, whose it is, and whether it is on another machine."""

    name: str
    house: str
    apart: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HubSetUp:
    """How a hub is set up, and what its log says was opened.

    threshold: how many custodians open a partition. quorum: how many witnesses cosign.
    made, opened: partitions by kind, those with keys and those ever opened.
    entries: of the log that this is as of.
    """

    origin: str
    parties: Sequence[PlacedParty]
    stores: Sequence[PlacedStore]
    threshold: int
    quorum: int
    made: Mapping[PartitionKind, int]
    opened: Mapping[PartitionKind, int]
    entries: int


@dataclass(frozen=True, slots=True)
class DerivedDeployment:
    """A hub's deployment, and what a reader must know of how it came about.

    unstated: operators who do something and have no fact sheet.
    remarks: where sheets and set-up differ, in sentences.
    """

    deployment: Deployment
    unstated: tuple[str, ...]
    remarks: tuple[str, ...]


def derive_deployment(hub: HubSetUp, sheets: Sequence[HostSheet], *, on: date) -> DerivedDeployment:
    """Derive a hub's deployment.

    on: the day of the derivation, by the hub's clock.
    """
    houses = _Houses(hub, sheets)
    known = list(_known(hub, houses, on))
    held = [*_shares(hub, houses, on), *_data(hub, houses, on)]
    facts: list[Fact] = [*known, *held, *_running(hub, houses, on, held=held)]
    facts += houses.standing(on)
    holdings = settle_control(fact for fact in facts if isinstance(fact, Owns))
    facts = [*(fact for fact in facts if not isinstance(fact, Owns)), *holdings]
    shown = [message for message in MESSAGES if _is_there(message, hub)]
    laws = {fact.law for fact in facts if isinstance(fact, Subject | Arguable)}
    if all(map(is_european, laws)):
        laws.add(_ASKED_LAW)
    deployment = Deployment(
        name=_short(hub.origin),
        title=hub.origin,
        operators=houses.titles(),
        laws=tuple(sorted(laws, key=lambda law: (is_european(law), law))),
        messages=tuple(shown),
        facts=tuple(facts),
    )
    check_deployment(deployment)
    return DerivedDeployment(deployment, houses.unstated, tuple(houses.remarks()))


def _short(text: str) -> str:
    """Make a short name out of what people call somebody; two that come out alike count as one.

    >>> _short("Hôpital Nord (Lille)")
    'hopital-nord-lille'
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:64].strip("-") or "nameless"


def house_name(house: str) -> str:
    """Give a house its short name; whatever is said to be on this machine is one house.

    >>> house_name("custodian-1 (this machine)"), house_name("Hospital North")
    ('this-machine', 'hospital-north')
    """
    return THIS_HOUSE if house.endswith(THIS_MACHINE) else _short(house)


def _is_there(message: Message, hub: HubSetUp) -> bool:
    if message.name == "opened":
        return bool(hub.opened.get(PartitionKind.DATASET))
    if message.name == "deliveries":
        return bool(hub.opened.get(PartitionKind.LANDING))
    return True


class _Houses:
    """Who the operators are: one house for everything that stands on the hub's machine."""

    def __init__(self, hub: HubSetUp, sheets: Sequence[HostSheet]) -> None:
        self._hub = hub
        (own,) = (party for party in hub.parties if party.role is Role.HUB)
        self._texts: dict[str, str] = {}
        self.own = self._named(own.house)
        self._does: dict[str, set[Part]] = {self.own: {Part.MACHINES}}
        for party in hub.parties:
            if party.role in _PARTS:
                self._does.setdefault(self.of(party), set()).add(_PARTS[party.role])
        for store in hub.stores:
            self._does.setdefault(self.of(store), set()).add(Part.STORE)
        self.sheets = {_short(sheet.operator): sheet for sheet in sheets}
        self.unstated = tuple(sorted(set(self._does) - set(self.sheets)))

    def _named(self, house: str) -> str:
        name = house_name(house)
        self._texts.setdefault(name, THIS_HOUSE_TITLE if name == THIS_HOUSE else house)
        return name

    def of(self, placed: PlacedParty | PlacedStore) -> str:
        """Name whose hands something is in."""
        acts_alone = isinstance(placed, PlacedParty) and placed.role not in _REACHED
        return self._named(placed.house) if placed.apart or acts_alone else self.own

    def with_role(self, *roles: Role) -> list[tuple[str, str]]:
        """List parties of some roles: each name and its house."""
        return [(each.name, self.of(each)) for each in self._hub.parties if each.role in roles]

    def stores(self) -> list[str]:
        """List the houses of the stores, each once."""
        return list(dict.fromkeys(self.of(store) for store in self._hub.stores))

    def titles(self) -> dict[str, str]:
        """Name everybody, as people call them."""
        titles = {name: self._texts[name] for name in sorted(self._does)}
        for name, sheet in self.sheets.items():
            if name in self._does:
                titles = {**people_of_sheet(sheet, name=name), **titles, name: sheet.title}
        if self.own not in self.sheets or not self.sheets[self.own].updates:
            titles[UNSTATED_MAKERS] = UNSTATED_MAKERS_TITLE
        return titles

    def standing(self, on: date) -> Iterator[Fact]:
        """State where everybody stands; of whom nothing is stated, that."""
        for name in sorted(self._does):
            if name in self.sheets:
                yield from facts_of_sheet(self.sheets[name], name=name)
            else:
                yield Unstated(evidence=assumed(on, "No fact sheet in hosts/"), operator=name)
        if UNSTATED_MAKERS in self.titles():
            evidence = assumed(on, "No fact sheet states who makes what runs on the machines")
            yield Unstated(evidence=evidence, operator=UNSTATED_MAKERS)

    def remarks(self) -> Iterator[str]:
        """Tell where sheets and set-up differ."""
        for name, sheet in sorted(self.sheets.items()):
            if name not in self._does:
                yield f"The fact sheet of {sheet.title} is of nobody who does anything here."
                continue
            said, does = set(sheet.parts), self._does[name]
            if more := sorted(part.value for part in does - said):
                yield f"{sheet.title} also has these parts, which its sheet leaves out: {', '.join(more)}."
            if less := sorted(part.value for part in said - does):
                yield f"The sheet of {sheet.title} states parts that it has not here: {', '.join(less)}."


# Those whom the hub reaches by a place in its configuration; others come to it, and
# where they stand is not for the hub's configuration to say.
_REACHED = frozenset({Role.CUSTODIAN, Role.ESCROW, Role.WITNESS, Role.HUB})


def _set_up(on: date) -> Evidence:
    return Evidence(Grade.E1, on, "havre.toml and the trust roots")


def _on_log(hub: HubSetUp, on: date, what: str) -> Evidence:
    return Evidence(Grade.E4, on, f"The log at {hub.entries} entries: {what}")


def _shares(hub: HubSetUp, houses: _Houses, on: date) -> Iterator[Fact]:
    """State who has which share of which seed."""
    evidence = _set_up(on)
    custodians = houses.with_role(Role.CUSTODIAN, Role.ESCROW)
    for key in (*(f"seed/{message}" for message in _SEALED), "second-secret"):
        shares = tuple(f"{key}/{name}" for name, _ in custodians)
        yield Threshold(evidence=evidence, key=key, needs=hub.threshold, shares=shares)
        for share, (_, house) in zip(shares, custodians, strict=True):
            yield Holds(evidence=evidence, operator=house, term=share)


def _known(hub: HubSetUp, houses: _Houses, on: date) -> Iterator[Fact]:
    """State which seeds count as known, because they were opened."""
    seeds = {
        "seed/opened": PartitionKind.DATASET,
        "seed/working-set": PartitionKind.PROJECT,
        "seed/deliveries": PartitionKind.LANDING,
        "second-secret": PartitionKind.SECRET,
    }
    for key, kind in seeds.items():
        if number := hub.opened.get(kind, 0):
            what = (
                f"{number} of {hub.made.get(kind, 0)} partitions of kind {kind.value} were opened"
            )
            yield Holds(evidence=_on_log(hub, on, what), operator=houses.own, term=key)


def _data(hub: HubSetUp, houses: _Houses, on: date) -> Iterator[Fact]:
    """State who has the ciphertext, and what else each sees."""
    evidence = _set_up(on)
    # The hub reads and writes the stores, so it can fetch whatever lies there.
    for house in dict.fromkeys((*houses.stores(), houses.own)):
        for message in _SEALED:
            yield Holds(evidence=evidence, operator=house, term=seal(f"seed/{message}", message))
        yield Holds(evidence=evidence, operator=house, term="metadata")
    yield Holds(evidence=evidence, operator=houses.own, term="records")
    for house in dict.fromkeys(house for _, house in houses.with_role(Role.HOLDER)):
        yield Holds(evidence=evidence, operator=house, term="first-secret")
    yield Public(evidence=_on_log(hub, on, "everybody can read it"), term="log")
    # Whoever has both secrets goes through all numbers of persons in minutes.
    numbers = Evidence(Grade.E1, on, "docs/protocols.md, section 5")
    yield Public(evidence=numbers, term=seal("first-secret", seal("second-secret", "identities")))


def _running(hub: HubSetUp, houses: _Houses, on: date, *, held: Sequence[Fact]) -> Iterator[Fact]:
    """State where rows are in clear, who can change what runs there, and what the service needs.

    held: who has what. Whoever can change what runs on the hub's machine also has
        what lies there: its way to the stores, and shares that were not carried away.
    """
    evidence = _set_up(on)
    sheet = houses.sheets.get(houses.own)
    there = [fact for fact in held if isinstance(fact, Holds) and fact.operator == houses.own]
    tee = sheet.tee if sheet else False
    yield System(
        evidence=sheet.parts_evidence if sheet and tee else evidence,
        name=MACHINES,
        clear=("working-set", *dict.fromkeys(fact.term for fact in there)),
        hosts=(houses.own,),
        tee=tee,
    )
    if sheet and sheet.updates:
        yield from updates_of_sheet(sheet, name=houses.own, system=MACHINES)
    else:
        nobody = assumed(on, "Nobody has stated who can change what runs on the machines")
        yield Push(evidence=nobody, system=MACHINES, by=(UNSTATED_MAKERS,))
    needs: dict[str, list[tuple[str, ...]]] = {
        "stores": [(house,) for house in houses.stores()],
        "machines": [(houses.own,)],
        "keys": _quorums(houses.with_role(Role.CUSTODIAN), hub.threshold),
        "log": _quorums(houses.with_role(Role.WITNESS), hub.quorum),
    }
    for name, quorums in needs.items():
        if quorums:
            yield Function(evidence=evidence, name=name, quorums=tuple(quorums))


def _quorums(parties: Collection[tuple[str, str]], needed: int) -> list[tuple[str, ...]]:
    """List the sets of houses that bring enough parties together, the least ones only."""
    found = {frozenset(house for _, house in chosen) for chosen in combinations(parties, needed)}
    least = [each for each in found if not any(other < each for other in found)]
    return sorted(tuple(sorted(each)) for each in least)


def acquired(deployment: Deployment, *, operator: str, law: str, on: date) -> Deployment:
    """Put an operator under one more law, as if somebody from there had bought it."""
    bought = Subject(evidence=assumed(on, "What if: a takeover"), operator=operator, law=law)
    changed = deployment.with_facts([bought])
    return replace(changed, laws=tuple(dict.fromkeys((*changed.laws, law))))
