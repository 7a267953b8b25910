"""Hospitals: which there are, which are public, which are delivered twice, and who went to which.

Of each department there are six made-up ones, few of which do much; three public
groups are real, since files are known to hold their stays twice until 2017.
"""

from __future__ import annotations

import numpy as np

from havre.adapters.synthetic.draws import Flags, Ints, Theme
from havre.adapters.synthetic.facts.population import DELIVERED_TWICE
from havre.adapters.synthetic.people import PLACES, Block, People
from havre.adapters.synthetic.stays import Stays

_PER_PLACE = 6
_PUBLIC_PER_PLACE = 4
# Of the public stays in a department with such a group, the share that the group has.
_OF_THE_GROUP = 0.5


def _codes() -> tuple[list[str], list[bool], dict[int, tuple[str, ...]]]:
    # The last of nine characters is a key: without it, eight still name one hospital.
    codes = [
        f"{place}000{house:03d}{house * 7 % 10}"
        for place in PLACES
        for house in range(1, _PER_PLACE + 1)
    ]
    public = [house < _PUBLIC_PER_PLACE for _ in PLACES for house in range(_PER_PLACE)]
    sites = {}
    for legal, listed in DELIVERED_TWICE:
        sites[len(codes)] = listed
        codes.append(legal)
        public.append(True)
    return codes, public, sites


# FINESS numbers (nine characters), whether each is public, and the sites of those that are groups.
HOUSES, _PUBLIC, SITES = _codes()
IS_PUBLIC: Flags = np.array(_PUBLIC)
_GROUP_OF_PLACE = np.full(len(PLACES), -1)
for _house, _listed in SITES.items():
    for _place in {site[:2] for site in _listed} & set(PLACES):
        _GROUP_OF_PLACE[PLACES.index(_place)] = _house


def draw_houses(stays: Stays, people: People, block: Block) -> Ints:
    """Draw the hospital of each stay, as a place in `HOUSES`; mother and child share one."""
    random = block.stream(Theme.TABLES)
    place = people.place_at(stays.person, stays.entry)
    house = nearby_houses(place, random)
    born = np.flatnonzero(stays.child >= 0)
    _, first, again = np.unique(stays.child[born], return_index=True, return_inverse=True)
    house[born] = house[born[first]][again]
    # Whoever is moved on is moved elsewhere.
    return np.where(stays.moved == 2, place * _PER_PLACE + (house + 1) % _PER_PLACE, house)


def nearby_houses(place: Ints, random: np.random.Generator) -> Ints:
    """Draw a hospital in each of these departments; few have most of the stays."""
    public = random.random(len(place)) < 0.62
    return _drawn(place, public, random)


def public_houses(place: Ints, random: np.random.Generator) -> Ints:
    """Draw a public hospital in each of these departments."""
    return _drawn(place, np.ones(len(place), dtype=np.bool_), random)


def _drawn(place: Ints, public: Flags, random: np.random.Generator) -> Ints:
    count = len(place)
    rank = (random.pareto(1.5, count) * 2).astype(np.int64)
    private = _PUBLIC_PER_PLACE + rank % (_PER_PLACE - _PUBLIC_PER_PLACE)
    within = np.where(public, np.minimum(rank, _PUBLIC_PER_PLACE - 1), private)
    group = _GROUP_OF_PLACE[place]
    in_group = public & (group >= 0) & (random.random(count) < _OF_THE_GROUP)
    return np.where(in_group, group, place * _PER_PLACE + within)
