"""Care outside hospital as it happens: who had what, on which day, from whom.

What sickness funds write of it is `accounting`. How frequent each kind of service
is, is published; who has it depends on age, sex and illness. Drugs that an
illness needs come at their intervals, and are filled up by others to the
published share.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date
from functools import cached_property

import numpy as np

from havre.adapters.synthetic.draws import (
    YEAR,
    Floats,
    Ints,
    Random,
    Theme,
    day_of,
    pick,
)
from havre.adapters.synthetic.facts import acts
from havre.adapters.synthetic.facts.diseases import ILLNESSES
from havre.adapters.synthetic.facts.drugs import (
    COMMON,
    DRUGS,
    NATURE_OF_CLASS,
    NATURE_OF_RATE,
    packs_of,
)
from havre.adapters.synthetic.facts.hospital_drugs import BESIDE_A_STAY
from havre.adapters.synthetic.illnesses import Illnesses
from havre.adapters.synthetic.people import Block, People
from havre.adapters.synthetic.stays import Stays

NATURES: tuple[str, ...] = tuple(acts.NATURE_PERCENT)
PARTS: tuple[str, ...] = tuple(acts.CARE)
PART_OF_NATURE = np.array([PARTS.index(acts.part_of(nature)) for nature in NATURES])
_PERCENT = np.array(list(acts.NATURE_PERCENT.values()))
# The first day on which each kind of service is no more.
_ENDS = np.array([day_of(acts.ENDED.get(nature, date.max)) for nature in NATURES])
LAST_DAYS: tuple[int, ...] = tuple(sorted({day_of(day) for day in acts.ENDED.values()}))
# Lines of one visit, on average: of one pharmacist, nurse, laboratory.
_PER_VISIT = {"drugs": 2.2, "nurse": 1.3, "biology": 1.5, "device": 1.3}
_NATURE_OF_DRUG = np.array(
    [NATURES.index(NATURE_OF_CLASS.get(drug.atc, NATURE_OF_RATE[drug.rate])) for drug in DRUGS]
)
_BESIDE_A_STAY = NATURES.index(BESIDE_A_STAY)
_ADHERENCE = 0.93
_DENSE = 60


def shares_on(day: int) -> Floats:
    """The share of each of `NATURES` on a day: what has ended leaves its share to all others."""
    open_then = np.where(day < _ENDS, _PERCENT, 0.0)
    shares: Floats = open_then / open_then.sum()
    return shares


@dataclass(frozen=True, slots=True)
class Events:
    """Services, one row each, all arrays of one length; `day` since 1970.

    nature: a place in `NATURES`. item: for a drug its place in `DRUGS`, for a stay its row
    among the stays, else -1.
    """

    person: Ints
    day: Ints
    nature: Ints
    item: Ints

    @classmethod
    def joined(cls, parts: list[Events]) -> Events:
        """All rows of all parts, in their order."""
        return Events(
            *(np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(cls))
        )


@dataclass(frozen=True)
class Care:
    """A block's people with everything that decides on their care.

    density: lines of acts per person and year. stay_drugs: beside each stay the drug that is paid
    beside it, or -1.
    """

    people: People
    illnesses: Illnesses
    stays: Stays
    block: Block
    density: float
    stay_drugs: Ints

    @property
    def refill_days(self) -> int:
        """Between two packs of a drug that is taken for long: a month, or a quarter where lines are few."""
        return 30 if self.density >= _DENSE else 91

    @cached_property
    def regimens(self) -> tuple[Ints, Ints, Ints]:
        """Who takes what for long, and from when: person, place in `DRUGS`, first day."""
        random = self.block.stream(Theme.LINES, 0)
        person, pack, start = [], [], []
        for name, illness in ILLNESSES.items():
            onset = self.illnesses.of(name)
            ill = np.flatnonzero(onset < self.block.period.ends)
            for atc, share, delay in illness.drugs:
                takes = ill[random.random(len(ill)) < share]
                packs = np.array(packs_of(atc))
                person.append(takes)
                pack.append(packs[random.integers(0, len(packs), len(takes))])
                start.append(onset[takes] + delay)
        return np.concatenate(person), np.concatenate(pack), np.concatenate(start)

    def events(self, first: int, last: int, part: int) -> Events:
        """Draw the services of some days, the last excluded.

        part: the number of this stretch of days; its stream is its own.
        """
        random = self.block.stream(Theme.LINES, part + 1)
        begins = np.maximum(self.people.born, first)
        span = np.maximum(np.minimum(self.illnesses.dies, last) - begins, 0)
        weights = self._weights(span / YEAR, (first + last) // 2)
        refills = self._refills(first, last, random)
        expected = self.density * (span.sum() / YEAR) * shares_on(first)
        taken = np.bincount(refills.nature, minlength=len(NATURES))
        counts = random.poisson(np.maximum(expected - taken, 0.0))
        drawn = [refills]
        for number, name in enumerate(PARTS):
            natures = np.flatnonzero(number == PART_OF_NATURE)
            nature = np.repeat(natures, counts[natures])
            random.shuffle(nature)
            if name == "hospital":
                drawn.append(self._of_stays(nature, first, last, random))
                continue
            visits = max(int(len(nature) / _PER_VISIT.get(name, 1.0)), 1)
            who = pick(weights[number], visits, random)
            if not len(who):
                continue
            when = begins[who] + (random.random(len(who)) * span[who]).astype(np.int64)
            visit = random.integers(0, len(who), len(nature))
            person = who[visit]
            item = np.full(len(nature), -1, dtype=np.int64)
            if name == "drugs":
                item = self._common_packs(person, when[visit], nature, random)
            drawn.append(Events(person, when[visit], nature, item))
        return Events.joined(drawn)

    def _weights(self, lived: Floats, day: int) -> Floats:
        """How much of each part of care falls to each person: one row per part."""
        age = (day - self.people.born) / YEAR
        curves = np.array([curve for curve, _ in acts.CARE.values()])
        women = np.array([times for _, times in acts.CARE.values()])
        whole = np.clip(age.astype(np.int64), 0, 110)
        by_age = np.array([np.interp(np.arange(111), acts.CURVE_AGES, each) for each in curves])
        weights = by_age[:, whole] * np.where(self.people.sex == 2, women[:, None], 1.0)
        added = np.array(
            [[illness.care.get(part, 0.0) for illness in ILLNESSES.values()] for part in PARTS]
        )
        ill = (self.illnesses.onset <= day).astype(np.float64)
        found: Floats = (weights + added @ ill) * lived
        return found

    def _refills(self, first: int, last: int, random: Random) -> Events:
        """Packs of drugs that are taken for long: on one day for all drugs of a person."""
        person, pack, start = self.regimens
        days = self.refill_days
        # A person's own day in the round, which does not depend on the stretch that is drawn.
        phase = (person * 37 + self.block.number * 11) % days
        begins = np.maximum(start, first)
        next_round = begins + (phase - begins) % days
        rounds = np.maximum((last - 1 - next_round) // days + 1, 0)
        rounds = np.where(start >= last, 0, rounds)
        row = np.repeat(np.arange(len(person)), rounds)
        turn = np.arange(len(row)) - np.repeat(np.cumsum(rounds) - rounds, rounds)
        day = next_round[row] + turn * days
        new = np.flatnonzero((start >= first) & (start < last) & (next_round != start))
        kept = random.random(len(row)) < _ADHERENCE
        row, day = np.concatenate([row[kept], new]), np.concatenate([day[kept], start[new]])
        who = person[row]
        alive = (day < self.illnesses.dies[who]) & (day >= self.people.born[who])
        row, day, who = row[alive], day[alive], who[alive]
        return Events(who, day, _NATURE_OF_DRUG[pack[row]], pack[row])

    def _common_packs(self, person: Ints, day: Ints, nature: Ints, random: Random) -> Ints:
        """A pack for each line: of those that people of this age and sex are given, at its rate."""
        age = (day - self.people.born[person]) / YEAR
        woman = (self.people.sex[person] == 2) & (age >= 15) & (age < 50)
        group = np.where(age < 15, 0, np.where(woman, 1, 2))
        item = np.full(len(person), -1, dtype=np.int64)
        for number, listed in enumerate(COMMON.values()):
            packs, weights = _weighted_packs(listed)
            for kind in np.unique(_NATURE_OF_DRUG):
                here = np.flatnonzero((group == number) & (nature == kind))
                fits = np.where(_NATURE_OF_DRUG[packs] == kind, weights, 0.0)
                if not fits.any():
                    packs_of_kind = np.flatnonzero(kind == _NATURE_OF_DRUG)
                    item[here] = packs_of_kind[random.integers(0, len(packs_of_kind), len(here))]
                else:
                    item[here] = packs[pick(fits, len(here), random)]
        return item

    def _of_stays(self, nature: Ints, first: int, last: int, random: Random) -> Events:
        """Lines of hospitals belong to stays that ended in these days."""
        ended = np.flatnonzero((self.stays.exit >= first) & (self.stays.exit < last))
        count = len(nature) if len(ended) else 0
        stay = (
            ended[random.integers(0, len(ended), count)] if count else np.empty(0, dtype=np.int64)
        )
        nature = nature[:count]
        beside = np.flatnonzero(nature == _BESIDE_A_STAY)
        with_drug = ended[self.stay_drugs[ended] >= 0]
        if len(with_drug):
            stay[beside] = with_drug[random.integers(0, len(with_drug), len(beside))]
        else:
            nature, stay = np.delete(nature, beside), np.delete(stay, beside)
        return Events(self.stays.person[stay], self.stays.exit[stay], nature, stay)


def _weighted_packs(listed: str) -> tuple[Ints, Floats]:
    words = listed.split()
    packs: list[int] = []
    weights: list[float] = []
    for atc, weight in zip(words[::2], words[1::2], strict=True):
        places = packs_of(atc)
        packs += places
        weights += [float(weight) / len(places)] * len(places)
    return np.array(packs), np.array(weights)
