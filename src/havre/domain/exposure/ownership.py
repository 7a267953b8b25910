"""Who owns whom, and what follows: control, and the thresholds of SecNumCloud 19.6.b.

Shares are hundredths of a percent. Indirect shares are products along a chain,
summed over all chains, exact.

Sources: Code de commerce, article L. 233-3; SecNumCloud 3.2, requirement 19.6.b,
as `docs/exposure.md` quotes them.
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
