"""The people behind the files: who they are, where they live, what they fall ill of, when they die.

Everything is drawn with one seeded generator, column by column: the same seed
gives the same people. Their numbers are letters and digits drawn at random; no
NIR stands behind them, so that none can be a living person's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from havre.snds.codes import DEPARTMENTS

Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.floating]
Flags: TypeAlias = npt.NDArray[np.bool_]
Texts: TypeAlias = npt.NDArray[np.str_]

# Days are counted from this one; a condition that never comes begins far away.
EPOCH = date(1970, 1, 1)
NEVER = 10**6
YEAR = 365.25

# People of metropolitan France by age group of ten years, per thousand, men and women together.
_AGES = (118, 123, 113, 121, 129, 131, 117, 90, 46, 12)
# Region: people per thousand, relative risk of diabetes, of heart failure, of death. The
# north and the east are sicker than the west; that gradient is what a study should find.
REGIONS: dict[str, tuple[int, float, float, float]] = {
    "11": (187, 1.00, 0.85, 0.90),
    "24": (39, 1.05, 1.00, 1.03),
    "27": (43, 1.05, 1.05, 1.04),
    "28": (51, 1.00, 1.10, 1.06),
    "32": (92, 1.45, 1.35, 1.22),
    "44": (85, 1.25, 1.15, 1.08),
    "52": (59, 0.75, 0.90, 0.95),
    "53": (52, 0.60, 0.95, 1.02),
    "75": (93, 0.85, 0.95, 0.98),
    "76": (91, 0.90, 0.90, 0.94),
    "84": (124, 0.90, 0.95, 0.94),
    "93": (78, 1.05, 0.90, 0.96),
    "94": (6, 0.95, 0.90, 0.92),
}
_ALPHABET = np.array(list("ABCDEFGHJKLMNPQRSTUVWXYZ23456789"))
_IDENTIFIER_CHARACTERS = 17
# A long follow-up before the files begin makes people whose diabetes is old.
_YEARS_BEFORE = 12.0
_SECOND_NUMBER_SHARE = 0.12
_OWN_NUMBER_SHARE = 0.96
_TWIN_SHARE = 0.016


@dataclass(frozen=True, slots=True)
class Period:
    """The years that the files are about; days since 1970, the end excluded."""

    first_year: int
    years: int

    @property
    def begins(self) -> int:
        """The first day."""
        return day_of(date(self.first_year, 1, 1))

    @property
    def ends(self) -> int:
        """The day after the last."""
        return day_of(date(self.first_year + self.years, 1, 1))


@dataclass(frozen=True, slots=True)
class People:
    """One row per latent person, all arrays of one length; days since 1970.

    identifiers: two numbers each; the second is in use from `second_from` on.
    rank: 1, or the rank of a twin who shares the first number.
    own: the person's own identity number, empty when nobody knows it.
    diabetes, failure, dies: the day, or `NEVER`.
    """

    born: Ints
    sex: Ints
    region: Texts
    department: Texts
    commune: Texts
    scheme: Texts
    identifiers: tuple[Texts, Texts]
    second_from: Ints
    rank: Ints
    own: Texts
    type_1: Flags
    diabetes: Ints
    failure: Ints
    dies: Ints

    @property
    def count(self) -> int:
        """How many they are."""
        return len(self.born)

    def number_at(self, person: Ints, day: Ints) -> Texts:
        """Tell which number each person used on a day."""
        later = self.second_from[person] <= day
        return np.where(later, self.identifiers[1][person], self.identifiers[0][person])


def draw_people(count: int, *, period: Period, random: np.random.Generator) -> People:
    """Draw people who are alive when the period begins, or born in it.

    >>> people = draw_people(50, period=Period(2022, 3), random=np.random.default_rng(1))
    >>> people.count, bool((people.dies >= people.born).all())
    (50, True)
    """
    region, department, commune = _homes(count, random)
    sex = np.where(random.random(count) < 0.516, 2, 1).astype(np.int64)
    decade = random.choice(len(_AGES), size=count, p=np.array(_AGES) / sum(_AGES))
    age = decade * 10 + random.random(count) * 10 - period.years * (decade == 0) * 0.3
    born = (period.begins - age * YEAR).astype(np.int64)
    type_1 = random.random(count) < 0.004
    diabetes = _diabetes_day(born, sex, region, type_1, period=period, random=random)
    failure = _failure_day(born, region, diabetes, period=period, random=random)
    numbers = _identifiers(count * 2, random)
    first, second, rank, born, sex = _twins(numbers, born, sex, random)
    changes = random.random(count) < _SECOND_NUMBER_SHARE
    when = random.integers(period.begins, period.ends, count)
    known = random.random(count) < _OWN_NUMBER_SHARE
    return People(
        born=born,
        sex=sex,
        region=region,
        department=department,
        commune=commune,
        scheme=random.choice(
            np.array(["01C", "01M", "02", "03"]), size=count, p=[0.78, 0.08, 0.06, 0.08]
        ),
        identifiers=(first, second),
        second_from=np.where(changes, when, NEVER),
        rank=rank,
        own=np.where(known, _identifiers(count, random), ""),
        type_1=type_1,
        diabetes=diabetes,
        failure=failure,
        dies=_death_day(born, region, diabetes, failure, period=period, random=random),
    )


def day_of(day: date) -> int:
    """Count the days since 1970."""
    return (day - EPOCH).days


def _homes(count: int, random: np.random.Generator) -> tuple[Texts, Texts, Texts]:
    shares = np.array([people for people, *_ in REGIONS.values()], dtype=float)
    region = random.choice(np.array(list(REGIONS)), size=count, p=shares / shares.sum())
    department = np.empty(count, dtype="<U2")
    for code, listed in DEPARTMENTS.items():
        here = region == code
        department[here] = random.choice(np.array(listed), size=int(here.sum()))
    commune = np.char.zfill(random.integers(1, 400, count).astype(str), 3)
    return region, department, commune


def _risks(region: Texts, which: int) -> Floats:
    codes = np.array(list(REGIONS))
    values = np.array([row[which] for row in REGIONS.values()], dtype=float)
    order = np.argsort(codes)
    found: Floats = values[order][np.searchsorted(codes[order], region)]
    return found


def _first_event(hazards: list[Floats], *, begins: float, random: np.random.Generator) -> Ints:
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


def _years(period: Period) -> list[float]:
    first = period.begins - _YEARS_BEFORE * YEAR
    return [first + number * YEAR for number in range(int(_YEARS_BEFORE) + period.years)]


def _ages(born: Ints, day: float) -> Floats:
    age: Floats = (day - born) / YEAR
    return age


def _diabetes_day(
    born: Ints,
    sex: Ints,
    region: Texts,
    type_1: Flags,
    *,
    period: Period,
    random: np.random.Generator,
) -> Ints:
    risk = _risks(region, 1) * np.where(sex == 1, 1.25, 0.85)
    hazards = []
    for day in _years(period):
        age = _ages(born, day)
        adult = 0.0185 / (1 + np.exp(-(age - 58) / 8.0)) * np.where(age > 80, 0.65, 1.0)
        hazards.append(np.where((age > 18) & ~type_1, adult * risk, 0.0))
    late = _first_event(hazards, begins=period.begins - _YEARS_BEFORE * YEAR, random=random)
    early = (born + random.gamma(4.0, 4.0, len(born)) * YEAR).astype(np.int64)
    return np.where(type_1, early, late)


def _failure_day(
    born: Ints, region: Texts, diabetes: Ints, *, period: Period, random: np.random.Generator
) -> Ints:
    risk = _risks(region, 2)
    hazards = []
    for day in _years(period)[int(_YEARS_BEFORE) - 2 :]:
        age = _ages(born, day)
        base = 0.0030 * np.exp((age - 60) * 0.075) * risk * np.where(diabetes < day, 2.0, 1.0)
        hazards.append(np.where(age > 40, np.minimum(base, 0.12), 0.0))
    return _first_event(hazards, begins=period.begins - 2 * YEAR, random=random)


def _death_day(
    born: Ints,
    region: Texts,
    diabetes: Ints,
    failure: Ints,
    *,
    period: Period,
    random: np.random.Generator,
) -> Ints:
    """Draw deaths: Gompertz by age, more with diabetes, many early after a failing heart."""
    risk = _risks(region, 3)
    hazards = []
    for number in range(period.years + 1):
        day = period.begins + number * YEAR
        age = _ages(born, day)
        base = 0.0000085 * np.exp(np.maximum(age, 0) * 0.102) + 0.0002
        hazards.append(np.minimum(base, 0.6) * risk * np.where(diabetes < day, 1.5, 1.0))
    dies = _first_event(hazards, begins=float(period.begins), random=random)
    # About a third is dead after a year, half of them within three months.
    early = random.random(len(born)) < 0.20
    lag = np.where(
        early, random.exponential(110.0, len(born)), random.exponential(4000.0, len(born))
    )
    of_failure = np.where(failure < NEVER, failure + 1 + lag.astype(np.int64), NEVER)
    # Who fell ill before the files begin is in them, and so was alive then.
    of_failure = np.where(of_failure < period.begins, NEVER, of_failure)
    return np.maximum(np.minimum(dies, of_failure), born)


def _identifiers(count: int, random: np.random.Generator) -> Texts:
    letters = random.integers(0, len(_ALPHABET), (count, _IDENTIFIER_CHARACTERS))
    drawn: Texts = _ALPHABET[letters].view(f"<U{_IDENTIFIER_CHARACTERS}").ravel()
    return drawn


def _twins(
    numbers: Texts, born: Ints, sex: Ints, random: np.random.Generator
) -> tuple[Texts, Texts, Ints, Ints, Ints]:
    """Give some people a twin of the same sex: one number, two ranks."""
    count = len(born)
    first, second = numbers[:count].copy(), numbers[count:]
    rank = np.ones(count, dtype=np.int64)
    elder = np.flatnonzero(random.random(count // 2) < _TWIN_SHARE / 2) * 2
    younger = elder + 1
    first[younger] = first[elder]
    rank[younger] = 2
    born, sex = born.copy(), sex.copy()
    born[younger], sex[younger] = born[elder], sex[elder]
    return first, second, rank, born, sex
