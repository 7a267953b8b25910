"""Long illnesses as they are recognised (ALD): for whom, from when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from havre.adapters.synthetic.draws import NEVER, Ints, Theme
from havre.adapters.synthetic.facts.diseases import ILLNESSES
from havre.adapters.synthetic.illnesses import Illnesses
from havre.adapters.synthetic.people import Block


@dataclass(frozen=True, slots=True)
class Recognised:
    """When each illness of each person was recognised, rows as in `NAMES`; or never.

    first: the first day of any.
    """

    start: Ints
    first: Ints


def draw_recognised(illnesses: Illnesses, block: Block) -> Recognised:
    """Draw who asks for it and gets it, some weeks after falling ill."""
    random = block.stream(Theme.REGISTERS)
    onset = illnesses.onset
    share = np.array([each.ald_share for each in ILLNESSES.values()])
    granted = random.random(onset.shape) < share[:, None]
    start = onset + random.integers(20, 90, onset.shape)
    start = np.where(granted & (onset < NEVER) & (start < illnesses.dies), start, NEVER)
    return Recognised(start, start.min(axis=0))
