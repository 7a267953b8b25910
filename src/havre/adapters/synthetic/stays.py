"""Stays in acute care as they happened: who, from when to when, for what, how it ended.

What hospitals write of them is `mco`. A period's stays are those that end in it.
Illnesses, births and deaths bring theirs; as many others are drawn as make the
published number of stays and share of stays without a night.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np

from havre.adapters.synthetic.beds import Beds, apart
from havre.adapters.synthetic.draws import (
    NEVER,
    YEAR,
    Flags,
    Floats,
    Ints,
    Random,
    Theme,
    about,
    most,
    pick,
)
from havre.adapters.synthetic.facts.acts import CARE, CURVE_AGES
from havre.adapters.synthetic.facts.diseases import ILLNESSES
from havre.adapters.synthetic.facts.kinds import KINDS
from havre.adapters.synthetic.facts.stays import SHARES_OF_STAYS, STAYS_PER_YEAR
from havre.adapters.synthetic.illnesses import NAMES, Illnesses
from havre.adapters.synthetic.people import Block, People, Period

KIND_NAMES: tuple[str, ...] = tuple(KINDS)
_DIED_THERE = 0.55
_TRANSFERRED = 0.02
_CAESAREAN, _PREMATURE = 0.2, 0.07
# How often another day is drawn for whoever is in a bed already.
_DAYS_TRIED = 6
_LAST_KINDS = ("pneumonia", "infection", "palliative", "faint")


@dataclass(frozen=True, slots=True)
class Stays:
    """One row per stay, all arrays of one length; `entry` and `exit` are days.

    kind: a place in `KIND_NAMES`. variant: which of the kind's codes.
    died: on the day of exit. child: of a delivery the row of its child, of a
    birth the row of the child itself; else -1.
    moved: 1 where the stay ends in another hospital, 2 where it goes on there; else 0.
    """

    person: Ints
    entry: Ints
    exit: Ints
    kind: Ints
    variant: Ints
    died: Flags
    child: Ints
    moved: Ints

    @property
    def count(self) -> int:
        """How many they are."""
        return len(self.person)

    def where(self, kept: Flags | Ints) -> Self:
        """Some of the rows, or the rows in another order."""
        return replace(self, **{each.name: getattr(self, each.name)[kept] for each in fields(self)})

    @classmethod
    def joined(cls, parts: list[Stays]) -> Stays:
        """All rows of all parts, in their order."""
        return Stays(
            **{
                each.name: np.concatenate([getattr(part, each.name) for part in parts])
                for each in fields(cls)
            }
        )

    def is_kind(self, *names: str) -> Flags:
        """Which rows are of one of these kinds."""
        marked: Flags = np.isin(self.kind, [KIND_NAMES.index(name) for name in names])
        return marked


def draw_stays(people: People, illnesses: Illnesses, block: Block) -> Stays:
    """Draw the stays that end in the period, those that a machine makes up left out."""
    random, period = block.stream(Theme.STAYS), block.period
    of_illnesses = Stays.joined(_of_illnesses(people, illnesses, period, random))
    births = Stays.joined(_of_births(people, illnesses, period, random))
    last = _last(people, illnesses, random)
    # A birth and a death are when they are; what an illness would bring gives way.
    known = _fitting(
        [_kept(each, people, illnesses, period) for each in (births, last, of_illnesses)]
    )
    known = Stays.joined([known, *_transfers(known, random)])
    wanted = STAYS_PER_YEAR * _lived(people, illnesses, period).sum()
    real = wanted * (1 - SHARES_OF_STAYS["fictitious"])
    others = max(about(real - known.count, random), 0)
    without_night = wanted * (SHARES_OF_STAYS["no_night"] - SHARES_OF_STAYS["fictitious"])
    without_night += wanted * SHARES_OF_STAYS["length_unknown"]
    still = without_night - int((known.entry == known.exit).sum())
    beds = Beds.of(known.person, known.entry, known.exit)
    common = _common(others, still, people, illnesses, beds, block=block, random=random)
    stays = Stays.joined([known, common])
    return stays.where(np.lexsort((stays.kind, stays.person, stays.entry, stays.exit)))


def _fitting(parts: list[Stays]) -> Stays:
    """Stays of all parts that share no night; of two that do, the one of the earlier part."""
    none = np.empty(0, dtype=np.int64)
    beds, fitting = Beds.of(none, none, none), []
    for part in parts:
        free = part.where(beds.fit(part.person, part.entry, part.exit))
        free = free.where(apart(free.person, free.entry, free.exit))
        beds = beds.and_of(free.person, free.entry, free.exit)
        fitting.append(free)
    return Stays.joined(fitting)


def stay_frame(
    person: Ints, entry: Ints, kind: Ints, *, random: Random, child: Ints | None = None
) -> Stays:
    """Stays of given kinds that begin on given days; how long each lasts is drawn."""
    listed = list(KINDS.values())
    day = np.array([each.day for each in listed])[kind]
    mean = np.array([max(each.nights, 1.0) for each in listed])[kind]
    nights = np.where(random.random(len(kind)) < day, 0, random.geometric(1 / mean))
    return _made(person, entry, nights, kind, random=random, child=child)


def _made(
    person: Ints, entry: Ints, nights: Ints, kind: Ints, *, random: Random, child: Ints | None
) -> Stays:
    codes = np.array([len(each.codes) for each in KINDS.values()])[kind]
    none = np.full(len(kind), -1, dtype=np.int64)
    return Stays(
        person=person,
        entry=entry,
        exit=entry + nights,
        kind=kind,
        variant=np.minimum(random.geometric(0.55, len(kind)) - 1, codes - 1),
        died=np.zeros(len(kind), dtype=np.bool_),
        child=none if child is None else child,
        moved=np.zeros(len(kind), dtype=np.int64),
    )


def _lived(people: People, illnesses: Illnesses, period: Period) -> Floats:
    """Years of the period that each person lived."""
    first = np.maximum(people.born, period.begins)
    last = np.minimum(illnesses.dies, period.ends)
    years: Floats = np.maximum(last - first, 0) / YEAR
    return years


def _kinds(name: str, count: int) -> Ints:
    return np.full(count, KIND_NAMES.index(name), dtype=np.int64)


def _of_illnesses(
    people: People, illnesses: Illnesses, period: Period, random: Random
) -> list[Stays]:
    parts = []
    for row, illness in enumerate(ILLNESSES.values()):
        onset = illnesses.onset[row]
        begins_in, share = illness.begins_in
        ill = np.flatnonzero((onset >= period.begins - 20) & (onset < period.ends))
        first = ill[random.random(len(ill)) < share]
        if begins_in:
            kind = _kinds(begins_in, len(first))
            parts.append(stay_frame(first, onset[first], kind, random=random))
        since = np.maximum(onset + 30, period.begins - 10)
        spell = np.maximum(np.minimum(illnesses.dies, period.ends) - since, 0)
        for name, rate in illness.stays:
            person = np.repeat(np.arange(people.count), random.poisson(rate * spell / YEAR))
            day = since[person] + (random.random(len(person)) * spell[person]).astype(np.int64)
            parts.append(stay_frame(person, day, _kinds(name, len(person)), random=random))
    return parts


def _of_births(people: People, illnesses: Illnesses, period: Period, random: Random) -> list[Stays]:
    """A mother's and her child's stay begin on one day, in one hospital."""
    child = np.flatnonzero((people.born >= period.begins - 10) & (people.born < period.ends))
    early = random.random(len(child)) < _PREMATURE
    kind = np.where(early, KIND_NAMES.index("premature"), KIND_NAMES.index("newborn"))
    born = stay_frame(child, people.born[child], kind, random=random, child=child)
    known = child[people.mother[child] >= 0]
    # Twins come in one delivery.
    mother = people.mother[known]
    _, first = np.unique(mother * NEVER + people.born[known], return_index=True)
    known, mother = known[first], mother[first]
    cut = random.random(len(known)) < _CAESAREAN
    kind = np.where(cut, KIND_NAMES.index("caesarean"), KIND_NAMES.index("delivery"))
    of_mothers = stay_frame(mother, people.born[known], kind, random=random, child=known)
    return [born, of_mothers]


def _last(people: People, illnesses: Illnesses, random: Random) -> Stays:
    """Somewhat more than half of those who die do so in hospital."""
    dead = np.flatnonzero((illnesses.dies < NEVER) & (random.random(people.count) < _DIED_THERE))
    of_illness = np.array(
        [
            KIND_NAMES.index(each.begins_in[0] or (each.stays[0][0] if each.stays else "faint"))
            for each in ILLNESSES.values()
        ]
    )
    cause = illnesses.cause[dead]
    other = random.choice([KIND_NAMES.index(name) for name in _LAST_KINDS], len(dead))
    kind = np.where(cause < len(NAMES), of_illness[np.minimum(cause, len(NAMES) - 1)], other)
    nights = random.geometric(1 / 9.0, len(dead)) - 1
    ends = illnesses.dies[dead]
    entry = np.maximum(ends - nights, people.born[dead])
    stays = _made(dead, entry, ends - entry, kind, random=random, child=None)
    return replace(stays, died=np.ones(len(dead), dtype=np.bool_))


def _kept(stays: Stays, people: People, illnesses: Illnesses, period: Period) -> Stays:
    """Cut stays short at death, and keep those that end in the period."""
    dies = illnesses.dies[stays.person]
    alive = (stays.entry >= people.born[stays.person]) & (stays.entry < dies) | stays.died
    ends = np.minimum(stays.exit, dies)
    stays = replace(stays, exit=ends, died=stays.died | (ends == dies))
    return stays.where(alive & (ends >= period.begins) & (ends < period.ends))


def _transfers(stays: Stays, random: Random) -> list[Stays]:
    """Some stays go on in another hospital: the first part ends, a second begins."""
    long = (stays.exit - stays.entry >= 3) & (stays.child < 0)
    of_all = max(int(long.sum()) / max(stays.count, 1), 0.01)
    chosen = np.flatnonzero(long & (random.random(stays.count) < _TRANSFERRED / of_all))
    middle = stays.entry[chosen] + 1
    second = replace(stays.where(chosen), entry=middle, moved=np.full(len(chosen), 2))
    # The rows themselves become the first parts.
    stays.exit[chosen] = middle
    stays.died[chosen] = False
    stays.moved[chosen] = 1
    return [second]


def _common(
    count: int,
    without_night: float,
    people: People,
    illnesses: Illnesses,
    beds: Beds,
    *,
    block: Block,
    random: Random,
) -> Stays:
    """Stays that no illness brings, of which exactly so many are without a night.

    Whoever is in a bed on the day that is drawn comes on another; the few who never fit do not.
    """
    period = block.period
    lived = _lived(people, illnesses, period)
    age = (period.begins + period.ends) / 2 - people.born
    weight = np.interp(age / YEAR, CURVE_AGES, CARE["hospital"][0]) * lived
    shares = np.array([kind.common for kind in KINDS.values()])
    kind = np.sort(pick(shares, count, random))
    person = np.empty(count, dtype=np.int64)
    for number, each in enumerate(KINDS.values()):
        here = kind == number
        first, last = each.ages
        fits = (
            (age >= first * YEAR)
            & (age < last * YEAR)
            & ((each.sex == 0) | (people.sex == each.sex))
        )
        if here.any():
            drawn = pick(np.where(fits, weight, 0.0), int(here.sum()), random)
            person[here] = drawn if len(drawn) else pick(weight, int(here.sum()), random)
    begins = np.maximum(people.born, period.begins)[person]
    last_day = np.minimum(illnesses.dies, period.ends)[person] - 1
    listed = list(KINDS.values())
    score = np.array([each.day for each in listed])[kind] + random.random(count) * 0.5
    mean = np.array([max(each.nights, 1.0) for each in listed])[kind]
    nights = np.where(most(score, without_night / max(count, 1)), 0, random.geometric(1 / mean))
    entry, leaves = begins.copy(), begins.copy()
    waiting = np.arange(count)
    for _ in range(_DAYS_TRIED):
        span = last_day[waiting] - begins[waiting] + 1
        entry[waiting] = begins[waiting] + (random.random(len(waiting)) * span).astype(np.int64)
        ends = np.minimum(entry[waiting] + nights[waiting], last_day[waiting])
        leaves[waiting] = np.maximum(ends, entry[waiting])
        who, came, left = person[waiting], entry[waiting], leaves[waiting]
        free = np.flatnonzero(beds.fit(who, came, left))
        free = free[apart(who[free], came[free], left[free])]
        beds = beds.and_of(who[free], came[free], left[free])
        waiting = np.delete(waiting, free)
    stays = _made(person, entry, nights, kind, random=random, child=None)
    return replace(stays, exit=leaves).where(np.delete(np.arange(count), waiting))
