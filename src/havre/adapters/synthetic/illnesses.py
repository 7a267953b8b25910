"""What people fall ill of, when, and what they die of.

A hazard is constant within a year and depends on age, sex, region and the
illnesses before it. A long follow-up before the files begin makes people whose
illness is old.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from havre.adapters.synthetic.draws import NEVER, YEAR, Floats, Ints, Random, Theme
from havre.adapters.synthetic.facts import population as facts
from havre.adapters.synthetic.facts.diseases import ILLNESSES, OTHER_CAUSES, Illness
from havre.adapters.synthetic.people import REGION_OF_PLACE, Block, People, Period

NAMES: tuple[str, ...] = tuple(ILLNESSES)
_YEARS_BEFORE = 12
# An illness that kills soon would have killed who has had it for long.
_YEARS_BEFORE_FATAL = 2


@dataclass(frozen=True, slots=True)
class Illnesses:
    """When what began; days since 1970.

    onset: one row per illness in the order of `NAMES`, one column per person; or never.
    variant: beside it, which of the illness's codes a person has.
    dies: the day of death, or never, which may be after the period.
    cause: what began it: a place in `NAMES`, or after them one in the other causes; -1 for nobody.
    """

    onset: Ints
    variant: Ints
    dies: Ints
    cause: Ints

    def of(self, name: str) -> Ints:
        """The day on which each person fell ill of one illness, or never."""
        days: Ints = self.onset[NAMES.index(name)]
        return days


def draw_illnesses(people: People, block: Block) -> Illnesses:
    """Draw the illnesses and the death of everybody in a block."""
    random, period = block.stream(Theme.ILLNESSES), block.period
    onset = np.full((len(NAMES), people.count), NEVER, dtype=np.int64)
    for row, illness in enumerate(ILLNESSES.values()):
        onset[row] = _onset(illness, onset, people, period, random)
    codes = np.array([len(illness.codes) for illness in ILLNESSES.values()])
    variant = np.minimum(random.geometric(0.6, onset.shape) - 1, codes[:, None] - 1)
    dies, cause = _deaths(people, onset, period, random)
    return Illnesses(onset, variant, dies, cause)


def cause_codes(illnesses: Illnesses, person: Ints) -> list[str]:
    """The code of the cause that began each of these deaths."""
    others = len(NAMES)
    codes = [illness.codes for illness in ILLNESSES.values()]
    found = []
    for who, cause in zip(person.tolist(), illnesses.cause[person].tolist(), strict=True):
        if cause >= others:
            found.append(OTHER_CAUSES[cause - others][0])
        else:
            found.append(codes[cause][int(illnesses.variant[cause, who])])
    return found


def first_event(hazards: list[Floats], *, begins: float, random: Random) -> Ints:
    """Draw the first day of an event whose hazard is constant within each year.

    hazards: per year, one value per person; begins: the day on which they start.
    """
    due = random.exponential(size=len(hazards[0]))
    day = np.full(len(due), float(NEVER))
    spent = np.zeros(len(due))
    for number, hazard in enumerate(hazards):
        within = (day == NEVER) & (spent + hazard >= due) & (hazard > 0)
        share = np.divide(due - spent, hazard, out=np.zeros_like(due), where=hazard > 0)
        day[within] = begins + (number + share[within]) * YEAR
        spent += hazard
    return day.astype(np.int64)


def _onset(illness: Illness, before: Ints, people: People, period: Period, random: Random) -> Ints:
    deadly = sum(share for share, _ in illness.fatal) > 0.5
    years = _YEARS_BEFORE_FATAL if deadly else _YEARS_BEFORE
    begins = period.begins - years * YEAR
    risk = np.where(people.sex == 1, illness.men, 2.0 - illness.men)
    if illness.region:
        risk = risk * _risk(people, illness.region)
    hazards = []
    for number in range(years + period.years):
        day = begins + number * YEAR
        age = (day - people.born) / YEAR
        hazard = illness.level / (1 + np.exp((illness.middle - age) / illness.width)) * risk
        for name, times in illness.raised_by.items():
            hazard = hazard * np.where(before[NAMES.index(name)] < day, times, 1.0)
        first, last = illness.ages
        hazards.append(np.where((age >= first) & (age < last), np.minimum(hazard, 0.3), 0.0))
    onset = first_event(hazards, begins=begins, random=random)
    if years < _YEARS_BEFORE:
        return onset
    # Whoever had it before the follow-up began has had it for some years more.
    old = random.random(people.count) < 1 - np.exp(-hazards[0] * _YEARS_BEFORE * 0.6)
    earlier = (begins - random.exponential(6.0, people.count) * YEAR).astype(np.int64)
    return np.where(old & (earlier > people.born), earlier, onset)


def _risk(people: People, which: int) -> Floats:
    by_place = np.array([float(facts.REGIONS[region][which]) for region in REGION_OF_PLACE])
    found: Floats = by_place[people.place]
    return found


def _deaths(people: People, onset: Ints, period: Period, random: Random) -> tuple[Ints, Ints]:
    """Draw deaths by age, more with illnesses, and those that an illness itself brings."""
    base, growth, always = facts.MORTALITY
    illnesses = list(ILLNESSES.values())
    raised = np.array([illness.mortality for illness in illnesses])
    hazards = []
    for number in range(period.years + 1):
        day = period.begins + number * YEAR
        age = (day - people.born) / YEAR
        hazard = base * np.exp(np.maximum(age, 0) * growth) + always
        hazard = np.where(np.abs(age) < 1, facts.INFANT_MORTALITY, hazard)
        factor = np.exp((onset < day).T @ np.log(raised))
        hazards.append(np.minimum(hazard * _risk(people, 3) * factor, 0.7))
    dies = first_event(hazards, begins=float(period.begins), random=random)
    cause = _causes(people, onset, dies, raised, random)
    for row, illness in enumerate(illnesses):
        if illness.fatal:
            of_it = _fatal(illness, onset[row], period, random)
            sooner = of_it < dies
            dies, cause = np.where(sooner, of_it, dies), np.where(sooner, row, cause)
    dies = np.maximum(dies, people.born)
    return dies, np.where(dies < NEVER, cause, -1)


def _fatal(illness: Illness, onset: Ints, period: Period, random: Random) -> Ints:
    lag = np.full(len(onset), float(NEVER))
    drawn, so_far = random.random(len(onset)), 0.0
    for share, days in illness.fatal:
        here = (drawn >= so_far) & (drawn < so_far + share)
        lag[here] = 1 + random.exponential(days, int(here.sum()))
        so_far += share
    dies = np.where((onset < NEVER) & (lag < NEVER), onset + lag.astype(np.int64), NEVER)
    # Who fell ill before the files begin is in them, and so was alive then.
    return np.where(dies < period.begins, NEVER, dies)


def _causes(people: People, onset: Ints, dies: Ints, raised: Floats, random: Random) -> Ints:
    """Blame an illness in proportion to how much it raises the hazard; else another cause."""
    weight = np.where((onset < dies) & (raised > 1.0)[:, None], (raised - 1.0)[:, None], 0.0)
    edges = np.cumsum(weight, axis=0)
    drawn = random.random(people.count) * (edges[-1] + 1.0)
    blamed = (drawn[None, :] >= edges).sum(axis=0)
    age = np.minimum(dies - people.born, 110 * YEAR) / YEAR
    shares = np.array([share for _, share, _ in OTHER_CAUSES])
    fits = np.array([(age >= first) & (age < last) for _, _, (first, last) in OTHER_CAUSES])
    other_edges = np.cumsum(fits * shares[:, None], axis=0)
    at = random.random(people.count) * other_edges[-1]
    other = np.minimum((at[None, :] >= other_edges).sum(axis=0), len(OTHER_CAUSES) - 1)
    cause: Ints = np.where(blamed < len(NAMES), blamed, len(NAMES) + other)
    return cause
