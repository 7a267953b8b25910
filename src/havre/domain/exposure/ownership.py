"""Who controls whom, from their shares, in hundredths of a percent.

Source: Code de commerce, article L. 233-3, as `docs/exposure.md` quotes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from havre.domain.exposure.facts import WHOLE, Owns

_HALF, _PRESUMED = WHOLE // 2, 40 * WHOLE // 100


def settle_control(holdings: Iterable[Owns]) -> list[Owns]:
    """Mark who controls: whoever is said to, has more than half, or is presumed to.

    Presumed is who has more than 40 % while nobody else has as much.
    """
    listed = list(holdings)
    return [replace(each, control=each.control or decides(each, listed)) for each in listed]


def decides(holding: Owns, holdings: Sequence[Owns]) -> bool:
    """Say whether a share decides by its size, among all shares of the same firm."""
    others = [
        each.share
        for each in holdings
        if each.child == holding.child and each.parent != holding.parent
    ]
    largest = max(others, default=0)
    return holding.share > _HALF or (holding.share > _PRESUMED and holding.share > largest)
