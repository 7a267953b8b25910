"""Which stays have a drug that is paid beside them."""

from __future__ import annotations

import numpy as np

from havre.adapters.synthetic.draws import Ints, Theme, day_of
from havre.adapters.synthetic.facts.hospital_drugs import GIVEN
from havre.adapters.synthetic.illnesses import Illnesses
from havre.adapters.synthetic.people import Block
from havre.adapters.synthetic.stays import Stays


def draw_stay_drugs(stays: Stays, illnesses: Illnesses, block: Block) -> Ints:
    """Draw the drug of each stay, a place in `UNITS`, or -1: only what the person's illness is treated with."""
    random = block.stream(Theme.STAYS, 1)
    drug = np.full(stays.count, -1, dtype=np.int64)
    for place, given in enumerate(GIVEN):
        ill = illnesses.of(given.illness)[stays.person] < stays.exit
        fits = stays.is_kind(given.kind) & ill & (stays.entry >= day_of(given.since)) & (drug < 0)
        drug[fits & (random.random(stays.count) < given.share)] = place
    return drug
