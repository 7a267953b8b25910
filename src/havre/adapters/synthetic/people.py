"""The people of a block: born where and when, whose children, how insured, and under which numbers.

Numbers are letters and digits drawn at random, not hashes of anything: no NIR
stands behind them, so that none can be a living person's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from havre.adapters.synthetic.draws import (
    NEVER,
    YEAR,
    Flags,
    Floats,
    Ints,
    Random,
    Theme,
    day_of,
    dealt,
    letters,
    most,
    pick,
    stream,
)
from havre.adapters.synthetic.facts import population as facts
from havre.adapters.synthetic.facts.stays import BIRTHS_PER_YEAR
from havre.snds.codes import DEPARTMENTS

PLACES: tuple[str, ...] = tuple(code for listed in DEPARTMENTS.values() for code in listed)
REGION_OF_PLACE: tuple[str, ...] = tuple(
    region for region, listed in DEPARTMENTS.items() for _ in listed
)
# The greatest number of numbers that one person has here.
SLOTS = 3
_NUMBER_CHARACTERS = 17
_COMMUNES = 400
_COUPLED = 0.66


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

    @property
    def last_year(self) -> int:
        """The last of the years."""
        return self.first_year + self.years - 1


@dataclass(frozen=True, slots=True)
class Block:
    """One block of people: the stream of every theme follows from seed and number alone.

    number: from 0. count: people in it. before: people in the blocks before it.
    """

    seed: int
    number: int
    count: int
    before: int
    period: Period

    def stream(self, theme: Theme, part: int = 0) -> Random:
        """Begin the stream of a theme in this block."""
        return stream(self.seed, self.number, theme, part)


@dataclass(frozen=True, slots=True)
class People:
    """One row per latent person, all arrays of one length; days since 1970.

    place: where they live, a place in `PLACES`; `moves` to `next_place` on a day or never.
    mother, partner: a row, or -1. Children live with their mother, couples together.
    scheme: a place in the table of schemes.
    """

    born: Ints
    sex: Ints
    place: Ints
    commune: Ints
    next_place: Ints
    moves: Ints
    scheme: Ints
    mother: Ints
    partner: Ints

    @property
    def count(self) -> int:
        """How many they are."""
        return len(self.born)

    def place_at(self, person: Ints, day: Ints) -> Ints:
        """Tell where each person lived on a day."""
        moved = self.moves[person] <= day
        return np.where(moved, self.next_place[person], self.place[person])


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of people: up to three each, in the order in which they are used.

    number: of slot `s` of person `p` at `s * people + p`; empty where there is none.
    rank: beside it, 2 for a twin who shares it. since: from when each is used, or never.
    own: the person's own identity number, empty when nobody knows it.
    identity: beside each number, the own one or number and rank.
    """

    number: pl.Series
    rank: Ints
    since: Ints
    own: pl.Series
    identity: pl.Series
    people: int

    def slot_at(self, person: Ints, day: Ints) -> Ints:
        """The place, in the columns above, of the number that each person used on a day."""
        later = (self.since[1][person] <= day).astype(np.int64) + (self.since[2][person] <= day)
        place: Ints = later * self.people + person
        return place


def draw_people(block: Block) -> People:
    """Draw people who are alive when the period begins, or born in it.

    >>> people = draw_people(Block(1, 0, 500, 0, Period(2022, 3)))
    >>> people.count, bool((people.mother >= 0).any())
    (500, True)
    """
    random, count, period = block.stream(Theme.PEOPLE), block.count, block.period
    age, sex = _ages(count, random)
    newborn = np.zeros(count, dtype=np.bool_)
    newborn[: round(count * BIRTHS_PER_YEAR * period.years)] = True
    random.shuffle(newborn)
    age = np.where(newborn, -random.random(count) * period.years, age)
    sex = np.where(newborn, 1 + (random.random(count) < 0.488), sex)
    born = np.floor(period.begins - age * YEAR).astype(np.int64)
    born = np.where(newborn, np.clip(born, period.begins, period.ends - 1), born)
    place = _places(count, random)
    commune = random.integers(1, _COMMUNES, count)
    mother = _mothers(born, sex, period, random)
    born, sex, mother = _twins(born, sex, mother, random)
    child = mother >= 0
    partner = _partners(born, sex, child, period, random)
    # A man lives where his partner does, and a child where its mother does.
    home = np.where(child, mother, np.where((sex == 1) & (partner >= 0), partner, np.arange(count)))
    place, commune = place[home], commune[home]
    moves = random.random(count) < facts.MOVES_PER_YEAR * period.years
    day = random.integers(period.begins, period.ends, count)
    scheme = dealt([share for _, share in facts.SCHEMES], count, random)
    return People(
        born=born,
        sex=sex,
        place=place,
        commune=commune,
        next_place=np.where(random.random(count) < 0.6, place, _places(count, random)),
        moves=np.where(moves & ~child, day, NEVER),
        scheme=np.where(child, scheme[mother], scheme),
        mother=mother,
        partner=partner,
    )


def draw_numbers(people: People, block: Block) -> Numbers:
    """Draw the numbers under which care of these people is paid for, and since when."""
    random, period, count = block.stream(Theme.NUMBERS), block.period, people.count
    number = letters(count * SLOTS, _NUMBER_CHARACTERS, random)
    rank = np.ones(count * SLOTS, dtype=np.int64)
    places = np.arange(count * SLOTS)
    elder = _elder_twins(people)
    # Twins of one sex are one number and two ranks, until each is insured alone.
    places[:count][elder >= 0] = elder[elder >= 0]
    rank[:count][elder >= 0] = 2
    number = number.gather(places.astype(np.uint32))
    second = random.random(count) < facts.SECOND_NUMBER
    third = second & (random.random(count) < facts.THIRD_NUMBER)
    # Most changes are of the first years of work, and of long ago.
    ago = random.exponential(9.0, count) * YEAR
    last_change = np.maximum((period.ends - ago).astype(np.int64), people.born + 200)
    second &= last_change < period.ends
    third &= second & (last_change - 700 > people.born + 90)
    since = np.full((SLOTS, count), NEVER, dtype=np.int64)
    since[0] = people.born
    since[1] = np.where(third, last_change - 700, np.where(second, last_change, NEVER))
    since[2] = np.where(third, last_change, NEVER)
    known = most(random.random(count), facts.share_in(facts.OWN_NUMBER, period.last_year))
    own = pl.select(
        pl.when(pl.lit(pl.Series(known)))
        .then(pl.lit(letters(count, _NUMBER_CHARACTERS, random)))
        .otherwise(pl.lit(""))
        .alias("own")
    ).to_series()
    everywhere = pl.concat([own] * SLOTS)
    identity = pl.select(
        pl.when(pl.lit(everywhere) != "")
        .then(pl.lit(everywhere))
        .otherwise(pl.lit(number) + pl.lit(pl.Series(rank).cast(pl.String)))
        .alias("identity")
    ).to_series()
    return Numbers(number, rank, since, own, identity, count)


def _ages(count: int, random: Random) -> tuple[Floats, Ints]:
    group = pick([float(share) for share in facts.PYRAMID], count, random)
    age = group * 5 + random.random(count) * np.where(group == len(facts.PYRAMID) - 1, 8, 5)
    women = random.random(count) < np.array(facts.WOMEN)[group]
    return age, 1 + women.astype(np.int64)


def _places(count: int, random: Random) -> Ints:
    shares = [float(people) for people, *_ in facts.REGIONS.values()]
    region = np.array(list(facts.REGIONS))[pick(shares, count, random)]
    place = np.empty(count, dtype=np.int64)
    where = np.array(REGION_OF_PLACE)
    for code in facts.REGIONS:
        here = region == code
        place[here] = random.choice(np.flatnonzero(where == code), int(here.sum()))
    return place


def _mothers(born: Ints, sex: Ints, period: Period, random: Random) -> Ints:
    """Give children a mother of this block: a woman who was of age when they were born."""
    mother = np.full(len(born), -1, dtype=np.int64)
    children = np.flatnonzero(born > period.begins - 18 * YEAR)
    women = np.flatnonzero((sex == 2) & (born < period.begins - 18 * YEAR))
    women = women[np.argsort(born[women], kind="stable")]
    if not len(women):
        return mother
    wanted = born[children] - (random.normal(30.0, 4.8, len(children)).clip(18.5, 43) * YEAR)
    found = np.searchsorted(born[women], wanted).clip(0, len(women) - 1)
    age = (born[children] - born[women[found]]) / YEAR
    # In a small block the nearest woman may be no possible mother.
    fits = (age > 15) & (age < 50)
    mother[children[fits]] = women[found[fits]]
    return mother


def _partners(born: Ints, sex: Ints, child: Flags, period: Period, random: Random) -> Ints:
    """Make couples of women and men of about one age; the others live alone."""
    adult = (born < period.begins - 22 * YEAR) & ~child
    pairs = []
    for which, older_days in ((1, 0.0), (2, 2.2 * YEAR)):
        single = np.flatnonzero(adult & (sex == which) & (random.random(len(born)) < _COUPLED))
        # He is older than she by two years, more or less.
        age = born[single] - older_days + random.normal(0.0, 2.5 * YEAR, len(single))
        pairs.append(single[np.argsort(age, kind="stable")])
    men, women = pairs
    couples = min(len(men), len(women))
    # Ranks of a longer list are thinned out, so that both reach from young to old.
    men = men[np.linspace(0, len(men) - 1, couples).astype(np.int64)] if couples else men[:0]
    women = (
        women[np.linspace(0, len(women) - 1, couples).astype(np.int64)] if couples else women[:0]
    )
    partner = np.full(len(born), -1, dtype=np.int64)
    partner[men], partner[women] = women, men
    return partner


def _twins(born: Ints, sex: Ints, mother: Ints, random: Random) -> tuple[Ints, Ints, Ints]:
    """Make pairs among neighbours in birth: one mother, one day, more often one sex than not."""
    order = np.argsort(born, kind="stable")
    first = order[:-1:2]
    twin = order[1::2][: len(first)]
    # Twins who have grown up have numbers of their own, and nothing shows that they are.
    near = (np.abs(born[first] - born[twin]) < 40) & (mother[first] >= 0) & (mother[twin] >= 0)
    pair = near & (random.random(len(first)) < facts.TWIN_BIRTHS * 1.05)
    one_sex = random.random(len(first)) < 0.65
    born, sex, mother = born.copy(), sex.copy(), mother.copy()
    born[twin[pair]] = born[first[pair]]
    mother[twin[pair]] = mother[first[pair]]
    alike = pair & one_sex
    sex[twin[alike]] = sex[first[alike]]
    return born, sex, mother


def _elder_twins(people: People) -> Ints:
    """For each person the twin of the same sex who comes first, or -1."""
    order = np.lexsort((np.arange(people.count), people.mother, people.sex, people.born))
    first, second = order[:-1], order[1:]
    alike: Flags = (people.born[first] == people.born[second]) & (
        people.sex[first] == people.sex[second]
    )
    alike &= people.mother[first] == people.mother[second]
    # Strangers are born on one day, too; only those of one mother, or of a draw, are twins.
    alike &= (people.mother[second] >= 0) & np.concatenate([[True], ~alike[:-1]])
    elder = np.full(people.count, -1, dtype=np.int64)
    elder[second[alike]] = first[alike]
    return elder
