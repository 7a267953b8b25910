"""Care as sickness funds write it down: the grain is the line, not the act.

Services of one day and professional are one décompte, which arrives in a flow with a
lag. A consultation leaves lines of its own for a majoration and for the patient's
part; an error is taken back by a line of minus one, and entered anew, in a later flow.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import date
from functools import partial
from typing import Self

import numpy as np

from havre.adapters.synthetic.care import NATURES, PART_OF_NATURE, PARTS, Events
from havre.adapters.synthetic.draws import YEAR, Flags, Floats, Ints, Random, day_of, pick
from havre.adapters.synthetic.facts import accounts, acts
from havre.adapters.synthetic.facts.drugs import DRUGS
from havre.adapters.synthetic.facts.hospital_drugs import (
    BESIDE_A_STAY,
    GIVEN,
    HANDED_OUT,
    RATES,
    UNITS,
)
from havre.adapters.synthetic.offices import draw_offices

_DRUGS, _DOCTOR, _VISIT = (PARTS.index(name) for name in ("drugs", "doctor", "visit"))
_HOSPITAL = PARTS.index("hospital")
# Kinds of services that general practitioners are paid for.
_GENERAL = [NATURES.index(nature) for nature in acts.GENERAL_NATURES]
BASE, COMPLEMENT, MAJORATION, PARTICIPATION = range(4)
_CCAM_NATURES = {NATURES.index(nature): listed for nature, listed in acts.CCAM.items()}
# All acts of the CCAM in one list; a line's act is a place in it.
CCAM_ACTS: tuple[str, ...] = tuple(code for listed in acts.CCAM.values() for code, *_ in listed)
_CCAM_OFFSET = {
    place: sum(len(listed) for listed in list(acts.CCAM.values())[:number])
    for number, place in enumerate(_CCAM_NATURES)
}


@dataclass(frozen=True, slots=True)
class Lines:
    """Accounting lines, in the order of flow, décompte and line; all arrays of one length.

    Beside what `Events` says: act is a place in `CCAM_ACTS`, or after them in `UNITS`, or -1; price and base are in cents, base
    is signed; paid is what was asked for, signed; rate is in percent; boxes and sign make the quantity;
    kind is one of BASE, COMPLEMENT, MAJORATION, PARTICIPATION, and extra its amount in cents.
    office: the professional, in the order of department, part and number. month: of the flow,
    counted from January 1970; taken_in is the day.
    """

    person: Ints
    day: Ints
    nature: Ints
    item: Ints
    act: Ints
    price: Ints
    base: Ints
    paid: Ints
    rate: Ints
    boxes: Ints
    sign: Ints
    kind: Ints
    extra: Ints
    office: Ints
    prescriber: Ints
    taken_in: Ints
    month: Ints
    claim: Ints
    order: Ints

    @property
    def count(self) -> int:
        """How many they are."""
        return len(self.person)

    def first(self, count: int) -> Self:
        """The first so many of them."""
        return replace(
            self, **{each.name: getattr(self, each.name)[:count] for each in fields(self)}
        )

    @property
    def part(self) -> Ints:
        """The part of care of each line."""
        found: Ints = PART_OF_NATURE[self.nature]
        return found


def write_down(
    events: Events,
    *,
    place: Ints,
    full_from: Ints,
    born: Ints,
    stay_drugs: Ints,
    offices: int,
    claims: int,
    random: Random,
) -> tuple[Lines, int]:
    """Make the lines of these services.

    place: where each service's person lives. full_from: from when the person's care is paid in full.
    born: of each service's person. stay_drugs: of each stay, a place in `UNITS` or -1. offices: professionals of a part in a department. claims: how many décomptes of the block there were before.

    Returns the lines, and how many décomptes there are now.
    """
    part = PART_OF_NATURE[events.nature]
    first = int(events.day.min()) if len(events.day) else 0
    # A general practitioner and a specialist whom somebody sees on one day are two.
    group = part * 2 + np.isin(events.nature, _GENERAL)
    key = (events.person * 4096 + (events.day - first)) * 64 + group
    order = np.argsort(key, kind="stable")
    key = key[order]
    begins = np.concatenate([[True], key[1:] != key[:-1]])[: len(key)]
    claim = np.cumsum(begins) - 1
    count = int(claim[-1]) + 1 if len(claim) else 0
    start = np.flatnonzero(begins)
    sorted_part, sorted_place = part[order], place[order]
    taken_in = events.day[order] + _lags(sorted_part[start], random)[claim]
    near = partial(draw_offices, sorted_place[start], offices=offices, random=random)
    general = np.isin(events.nature[order], _GENERAL)[start]
    office = near(sorted_part[start], general)[claim]
    # Who prescribes is near, too.
    prescriber = near(np.full(count, _DOCTOR), np.ones(count, dtype=np.bool_))[claim]
    nature, item, day = events.nature[order], events.item[order], events.day[order]
    act, price = _prices(nature, item, stay_drugs, random)
    boxes = np.where(sorted_part == _DRUGS, 1 + (random.random(len(day)) < 0.15), 1)
    full = full_from[order] <= day
    rate = np.where(full, 100, _rates(nature, item))
    base = price * boxes
    above = (sorted_part == _DOCTOR) & (random.random(len(day)) < accounts.ABOVE_BASE_SHARE)
    zero = np.zeros(len(day), dtype=np.int64)
    lines = Lines(
        person=events.person[order],
        day=day,
        nature=nature,
        item=item,
        act=act,
        price=price,
        base=base,
        paid=np.where(above, (base * accounts.ABOVE_BASE).astype(np.int64), base),
        rate=rate,
        boxes=boxes,
        sign=zero + 1,
        kind=zero,
        extra=zero,
        office=office,
        prescriber=prescriber,
        taken_in=taken_in,
        month=zero,
        claim=claim + claims + 1,
        order=np.arange(len(day)) - start[claim] + 1 if count else zero,
    )
    adult = (day - born[order]) > 18 * YEAR
    return _extended(lines, adult, claims + count, random)


def _lags(part: Ints, random: Random) -> Ints:
    """Days from care to its entry: most within weeks, few after half a year."""
    count = len(part)
    share = np.where(part == _DRUGS, accounts.LATE_SHARE_OF_DRUGS, accounts.LATE_SHARE)
    usual = 1 + random.exponential(accounts.MEAN_LAG_DAYS, count) % accounts.USUAL_LAG_DAYS
    late = 190 + random.random(count) * (accounts.LONGEST_LAG_DAYS - 190)
    return np.where(random.random(count) < share, late, usual).astype(np.int64)


def _cents(values: Floats) -> Ints:
    return np.round(np.asarray(values) * 100).astype(np.int64)


_PRICE_OF_NATURE = _cents(np.array([acts.PRICES[PARTS[part]] for part in PART_OF_NATURE]))
_RATE_OF_NATURE = np.array([acts.RATES.get(PARTS[part], 70) for part in PART_OF_NATURE])
for _nature, (_, _euro) in acts.DEVICES.items():
    if _nature in NATURES:
        _PRICE_OF_NATURE[NATURES.index(_nature)] = round(_euro * 100)
for _nature, _percent in RATES.items():
    _RATE_OF_NATURE[NATURES.index(_nature)] = _percent
# Of as many units as are given at once.
_PRICE_OF_UNITS = _cents(np.array([unit.price * unit.units for unit in UNITS]))
_PRICE_OF_DRUG = _cents(np.array([drug.price for drug in DRUGS]))
_RATE_OF_DRUG = np.array([drug.rate for drug in DRUGS])


def _prices(nature: Ints, item: Ints, stay_drugs: Ints, random: Random) -> tuple[Ints, Ints]:
    """The act of the CCAM where there is one, and the price of one unit in cents."""
    price = _PRICE_OF_NATURE[nature].copy()
    drug = (item >= 0) & (PART_OF_NATURE[nature] == _DRUGS)
    price[drug] = _PRICE_OF_DRUG[item[drug]]
    act = np.full(len(nature), -1, dtype=np.int64)
    for place, listed in _CCAM_NATURES.items():
        here = np.flatnonzero(nature == place)
        drawn = pick([share for _, share, _ in listed], len(here), random)
        act[here] = _CCAM_OFFSET[place] + drawn
        price[here] = _cents(np.array([euro for *_, euro in listed]))[drawn]
    unit = _units(nature, item, stay_drugs, random)
    given = unit >= 0
    act[given] = len(CCAM_ACTS) + unit[given]
    price[given] = _PRICE_OF_UNITS[unit[given]]
    return act, price


def _units(nature: Ints, item: Ints, stay_drugs: Ints, random: Random) -> Ints:
    """The hospital's drug of each line, a place in `UNITS`, or -1."""
    unit = np.full(len(nature), -1, dtype=np.int64)
    beside = np.flatnonzero(nature == NATURES.index(BESIDE_A_STAY))
    unit[beside] = stay_drugs[item[beside]]
    for kind in dict.fromkeys(kind for kind, *_ in HANDED_OUT):
        here = np.flatnonzero(nature == NATURES.index(kind))
        shares = [share * (kind == each) for each, _, share in HANDED_OUT]
        unit[here] = len(GIVEN) + pick(shares, len(here), random)
    return unit


def _rates(nature: Ints, item: Ints) -> Ints:
    drug = (item >= 0) & (PART_OF_NATURE[nature] == _DRUGS)
    rates: Ints = np.where(drug, _RATE_OF_DRUG[np.where(drug, item, 0)], _RATE_OF_NATURE[nature])
    return rates


@dataclass(frozen=True, slots=True)
class _Added:
    """Lines and what is written beside them: `source` is a row of the lines.

    group: 0 an act, 1 its majoration, 2 the patient's part, 3 an act taken back, 4 one
    entered anew. claim: of groups 3 and 4, counted from 0.
    """

    source: Ints
    group: Ints
    claim: Ints
    complemented: Flags


def _added(lines: Lines, adult: Flags, random: Random) -> _Added:
    """Draw what is written beside the acts, and which are taken back."""
    count = lines.count
    seen = np.isin(lines.part, [_DOCTOR, _VISIT])
    complemented = seen & (random.random(count) < accounts.COMPLEMENTED)
    more = np.flatnonzero(seen & (random.random(count) < accounts.MAJORATED))
    pays = np.flatnonzero(seen & adult & (random.random(count) >= accounts.EXEMPT))
    wrong = np.flatnonzero(random.random(count) < accounts.CORRECTED)
    again = wrong[random.random(len(wrong)) < accounts.ENTERED_ANEW]
    sizes = (count, len(more), len(pays), len(wrong), len(again))
    return _Added(
        source=np.concatenate([np.arange(count), more, pays, wrong, again]),
        group=np.repeat(np.arange(5), sizes),
        claim=np.concatenate([np.arange(len(wrong)), np.searchsorted(wrong, again)]),
        complemented=complemented,
    )


def _extended(lines: Lines, adult: Flags, claims: int, random: Random) -> tuple[Lines, int]:
    """Add what is written beside the acts, take errors back, and bring all in order."""
    added = _added(lines, adult, random)
    source, group = added.source, added.group
    kind = np.where(added.complemented, COMPLEMENT, BASE)[source]
    kind = np.select([group == 1, group == 2], [MAJORATION, PARTICIPATION], default=kind)
    day = lines.day[source]
    extra = np.select(
        [kind == COMPLEMENT, group == 1, group == 2], [1906, 300, _own_part(day)], default=0
    )
    sign = np.where(group == 3, -1, 1)
    # A line that is taken back, and the one that comes in its place, are a décompte of their own.
    kept = int((group < 3).sum())
    claim = np.concatenate([lines.claim[source[:kept]], added.claim + claims + 1])
    order = lines.order[source] + np.select([group == 1, group == 2], [300, 600], default=0)
    order = np.select([group == 3, group == 4], [1, 2], default=order)
    taken_in = lines.taken_in[source] + accounts.CORRECTION_DAYS * (group >= 3)
    # What is entered anew is worth a little less.
    worth = np.select([group == 4, kind >= MAJORATION], [0.92, 0.0], default=1.0)
    columns = {
        name: getattr(lines, name)[source]
        for name in ("person", "nature", "item", "act", "price", "rate", "boxes")
    }
    columns |= {
        "day": day,
        "base": np.round(lines.base[source] * worth).astype(np.int64) * sign,
        "paid": np.select(
            [kind == BASE, kind == PARTICIPATION],
            [lines.paid[source], 0],
            default=extra + np.where(kind == COMPLEMENT, lines.paid[source], 0),
        )
        * sign,
        "sign": sign,
        "kind": kind,
        "extra": extra,
        "office": lines.office[source],
        "prescriber": lines.prescriber[source],
        "taken_in": taken_in,
        "month": _month(taken_in),
        "claim": claim,
        "order": order,
    }
    at = np.argsort((columns["month"] * 2**40 + claim) * 1024 + order, kind="stable")
    corrected = int((group == 3).sum())
    return Lines(**{name: values[at] for name, values in columns.items()}), claims + corrected


def _own_part(day: Ints) -> Ints:
    """The patient's own part in cents, below zero, on each day."""
    euro = np.ones(len(day), dtype=np.int64)
    for since, amount in accounts.PARTICIPATION_EURO:
        euro = np.where(day >= day_of(since), amount, euro)
    return -100 * euro


def _month(day: Ints) -> Ints:
    """The month after the one of a day, counted from January 1970."""
    months: Ints = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) + 1
    return months


def month_start(month: int) -> date:
    """The first day of a month that is counted from January 1970.

    >>> month_start(636).isoformat()
    '2023-01-01'
    """
    return date(1970 + month // 12, month % 12 + 1, 1)
