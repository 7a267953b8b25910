"""Stays in rehabilitation, at home under a hospital, and in psychiatry: who, when, for what.

Acute stays and illnesses bring their share of them; others fill them up to the
published volumes. Their tables are `after_tables`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from havre.adapters.synthetic.dcir import Context
from havre.adapters.synthetic.draws import YEAR, Ints, Random, about, chosen, pick
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


def draw_after(
    domain: str, context: Context, illnesses: Illnesses, block: Block, random: Random
) -> After:
    """Draw the stays of one domain (SSR, HAD, RIP) that overlap the period."""
    following = _following(domain, context, random)
    ill = _of_illnesses(domain, illnesses, block, random)
    lived = np.minimum(context.dies, block.period.ends) - np.maximum(
        context.people.born, block.period.begins
    )
    lived = np.maximum(lived, 0)
    wanted = facts.VOLUMES[domain] * lived.sum() / YEAR
    count = about(max(wanted - len(following[0]) - len(ill[0]), 0.0), random)
    others = _others(domain, count, lived, context, block=block, random=random)
    person, entry, kind = (
        np.concatenate(columns) for columns in zip(following[:3], ill[:3], others[:3], strict=True)
    )
    code = pl.concat([following[3], ill[3], others[3]])
    nights = random.geometric(1 / facts.MEAN_NIGHTS[domain], len(person))
    leaves = np.minimum(entry + nights, context.dies[person])
    kept = np.flatnonzero(
        (leaves > entry) & (entry < block.period.ends) & (leaves >= block.period.begins)
    )
    kept = kept[np.lexsort((person[kept], entry[kept]))]
    place = context.people.place_at(person[kept], entry[kept])
    return After(
        person=person[kept],
        entry=entry[kept],
        exit=leaves[kept],
        kind=kind[kept],
        house=nearby_houses(place, random),
        code=code.gather(kept.astype(np.uint32)),
    )


_Found = tuple[Ints, Ints, Ints, pl.Series]


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
