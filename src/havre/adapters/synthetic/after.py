"""Stays in rehabilitation, at home under a hospital, and in psychiatry: who, when, for what.

Acute stays and illnesses bring their share of them; others fill them up to the
published volumes. Their tables are `after_tables`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Self, TypeAlias

import numpy as np
import polars as pl

from havre.adapters.synthetic.beds import Beds, apart
from havre.adapters.synthetic.dcir import Context
from havre.adapters.synthetic.draws import YEAR, Flags, Ints, Random, Theme, about, chosen, pick
from havre.adapters.synthetic.facts import stays as facts
from havre.adapters.synthetic.facts.acts import CARE, CURVE_AGES
from havre.adapters.synthetic.facts.diseases import ILLNESSES
from havre.adapters.synthetic.houses import nearby_houses
from havre.adapters.synthetic.illnesses import Illnesses
from havre.adapters.synthetic.people import Block
from havre.adapters.synthetic.stays import KIND_NAMES

_FOLLOWS: dict[str, dict[str, float]] = {
    "SSR": {kind: share for kind, (share, *_) in facts.REHABILITATION.items()},
    "HAD": {kind: share for kind, (share, *_) in facts.HOSPITAL_AT_HOME.items()},
    "RIP": {},
}


DOMAINS: tuple[str, ...] = ("SSR", "HAD", "RIP")
# How often stays are drawn anew for those that found no bed.
_TIMES_FILLED = 3
# Person, entry, kind of the acute stay before, diagnosis.
_Found: TypeAlias = tuple[Ints, Ints, Ints, pl.Series]


@dataclass(frozen=True, slots=True)
class After:
    """One row per stay of one domain, all arrays of one length; `entry` and `exit` are days.

    kind: the kind of the acute stay before it, a place in `KIND_NAMES`, or -1.
    code: the diagnosis that it is for.
    """

    person: Ints
    entry: Ints
    exit: Ints
    kind: Ints
    house: Ints
    code: pl.Series

    @property
    def count(self) -> int:
        """How many they are."""
        return len(self.person)

    def where(self, rows: Flags | Ints) -> Self:
        """Some of the rows, or the rows in another order."""
        at = np.arange(self.count)[rows]
        arrays = {each.name: getattr(self, each.name)[at] for each in fields(self)[:-1]}
        return replace(self, **arrays, code=self.code.gather(at.astype(np.uint32)))


def draw_after(context: Context, illnesses: Illnesses, block: Block) -> Mapping[str, After]:
    """Draw the stays of each domain (SSR, HAD, RIP) that begin in the period.

    Nobody is in two beds: who goes back to acute care leaves, and nobody comes who is elsewhere.
    """
    stays = context.stays
    nights = stays.where(stays.exit > stays.entry)
    beds = Beds.of(nights.person, nights.entry, nights.exit)
    drawn = {}
    for number, domain in enumerate(DOMAINS, 1):
        random = block.stream(Theme.AFTER, number)
        after = _draw(domain, context, illnesses, beds, block=block, random=random)
        beds = beds.and_of(after.person, after.entry, after.exit)
        drawn[domain] = after
    return drawn


def _draw(
    domain: str,
    context: Context,
    illnesses: Illnesses,
    beds: Beds,
    *,
    block: Block,
    random: Random,
) -> After:
    lived = np.minimum(context.dies, block.period.ends) - np.maximum(
        context.people.born, block.period.begins
    )
    lived = np.maximum(lived, 0)
    wanted = facts.VOLUMES[domain] * lived.sum() / YEAR
    # A stay that goes on when the period ends may be in none of its files.
    days = block.period.ends - block.period.begins
    wanted *= 1 + facts.MEAN_NIGHTS[domain] / days
    found = [
        _bedded(each, domain, beds, context, random=random)
        for each in (
            _following(domain, context, random),
            _of_illnesses(domain, illnesses, block, random),
        )
    ]
    for _ in range(_TIMES_FILLED):
        known = _joined(found)
        known = known.where(apart(known.person, known.entry, known.exit))
        missing = about(max(wanted - known.count, 0.0), random)
        others = _others(domain, missing, lived, context, block=block, random=random)
        found = [known, _bedded(others, domain, beds, context, random=random)]
    known = _joined(found)
    known = known.where(apart(known.person, known.entry, known.exit))
    known = known.where((known.entry < block.period.ends) & (known.exit >= block.period.begins))
    known = known.where(np.lexsort((known.person, known.entry)))
    place = context.people.place_at(known.person, known.entry)
    return replace(known, house=nearby_houses(place, random))


def _joined(parts: list[After]) -> After:
    arrays = {
        each.name: np.concatenate([getattr(part, each.name) for part in parts])
        for each in fields(After)
        if each.name != "code"
    }
    return After(**arrays, code=pl.concat([part.code for part in parts]))


def _bedded(found: _Found, domain: str, beds: Beds, context: Context, *, random: Random) -> After:
    """Give stays their ends; those who are in another bed when they begin are left out."""
    person, entry, kind, code = found
    nights = random.geometric(1 / facts.MEAN_NIGHTS[domain], len(person))
    leaves = np.minimum(entry + nights, context.dies[person])
    leaves = np.minimum(leaves, beds.next_entry(person, entry))
    after = After(person, entry, leaves, kind, np.zeros_like(entry), code)
    free = beds.fit(person, entry, leaves) & (leaves > entry)
    return after.where(free)


def _following(domain: str, context: Context, random: Random) -> _Found:
    """Stays that begin when an acute one ends."""
    stays = context.stays
    share = np.array([_FOLLOWS[domain].get(name, 0.0) for name in KIND_NAMES])
    chosen_rows = np.flatnonzero(
        (random.random(stays.count) < share[stays.kind]) & ~stays.died & (stays.moved != 1)
    )
    codes = [facts.REHABILITATION.get(name, (0, "", "Z509"))[2] for name in KIND_NAMES]
    if domain == "HAD":
        codes = [{"lung": "C349", "bowel_surgery": "C189"}.get(name, "Z480") for name in KIND_NAMES]
    kind = stays.kind[chosen_rows]
    return stays.person[chosen_rows], stays.exit[chosen_rows], kind, chosen(codes, kind)


def _of_illnesses(domain: str, illnesses: Illnesses, block: Block, random: Random) -> _Found:
    """Stays in psychiatry that an illness brings."""
    persons, days, codes = [], [], []
    for name, (rate, _) in facts.PSYCHIATRY.items() if domain == "RIP" else ():
        since = np.maximum(illnesses.of(name), block.period.begins)
        spell = np.maximum(np.minimum(illnesses.dies, block.period.ends) - since, 0)
        person = np.repeat(np.arange(len(spell)), random.poisson(rate * spell / YEAR))
        persons.append(person)
        days.append(since[person] + (random.random(len(person)) * spell[person]).astype(np.int64))
        codes.append(pl.Series([ILLNESSES[name].codes[0]]).new_from_index(0, len(person)))
    if not persons:
        none = np.empty(0, dtype=np.int64)
        return none, none, none, pl.Series([], dtype=pl.String)
    person = np.concatenate(persons)
    return person, np.concatenate(days), np.full(len(person), -1), pl.concat(codes)


def _others(
    domain: str, count: int, lived: Ints, context: Context, *, block: Block, random: Random
) -> _Found:
    age = ((block.period.begins + block.period.ends) / 2 - context.people.born) / YEAR
    curve = CARE["nurse" if domain != "RIP" else "work"][0]
    weight = np.interp(age, CURVE_AGES, curve) * lived
    person = pick(weight, count, random)
    first = np.maximum(context.people.born, block.period.begins)[person]
    day = first + (random.random(len(person)) * lived[person]).astype(np.int64)
    codes = facts.OTHERWISE[domain]
    which = random.integers(0, len(codes), len(person))
    return person, day, np.full(len(person), -1), chosen(codes, which)
