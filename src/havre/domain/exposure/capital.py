"""Who from outside the Union has how much of a host: the table of SecNumCloud 3.2, requirement 19.6.b.

Shares are hundredths of a percent. An indirect share is the product along a
chain, summed over all chains, exact. What is counted together is counted once:
where a chain first leaves the Union.

Source: SecNumCloud 3.2, 19.6.b, as `docs/exposure.md` quotes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from havre.domain.exposure.deployment import is_european
from havre.domain.exposure.facts import WHOLE
from havre.domain.exposure.sheet import HostSheet
from havre.errors import InvalidInput

# At most 24 % for one holder, at most 39 % for all of them.
EACH, ALL_TOGETHER = 2_400, 3_900


@dataclass(frozen=True, slots=True)
class HoldingLine:
    """One holder from outside the Union: its direct share and all of it, in hundredths of a percent.

    all_of_it: direct and through others, exact.
    """

    holder: str
    country: str
    direct: int
    all_of_it: Fraction
    veto: bool
    appoints: bool


class Shown(StrEnum):
    """What the table shows of the thresholds."""

    WITHIN = "within"
    BEYOND = "beyond"
    NOT_SHOWN = "not shown"


@dataclass(frozen=True, slots=True)
class OwnershipTable:
    """The computed table of requirement 19.6.b.

    lines: holders from outside the Union, the largest first.
    together: what they have together, each share counted once.
    unstated: what is stated to be nobody's; it could be anybody's.
    reasons: why it is beyond, or not shown; none when it is within.
    """

    lines: tuple[HoldingLine, ...]
    together: Fraction
    unstated: Fraction
    verdict: Shown
    reasons: tuple[str, ...]


def ownership_table(sheet: HostSheet) -> OwnershipTable:
    """Compute who from outside the Union holds how much of a host.

    Within: each at most 24 %, all together at most 39 %, nobody with a veto or the
    right to appoint most of a board; and so even if all that is unstated were one
    such holder's.

    Raises:
        InvalidInput: the parents own each other in a circle.
    """
    walk = _Walk(sheet)
    walk.up("", Fraction(WHOLE), inside=True)
    lines = tuple(
        sorted(walk.lines(), key=lambda each: (-each.all_of_it, each.holder)),
    )
    beyond = [
        f"{each.holder} has {show_share(each.all_of_it)}, and at most 24 % are allowed to one"
        for each in lines
        if each.all_of_it > EACH
    ]
    if walk.together > ALL_TOGETHER:
        beyond.append(
            f"together they have {show_share(walk.together)}, and at most 39 % are allowed"
        )
    beyond += [f"{each.holder} may forbid" for each in lines if each.veto]
    beyond += [f"{each.holder} appoints most of a board" for each in lines if each.appoints]
    if beyond:
        verdict, reasons = Shown.BEYOND, beyond
    else:
        reasons = _not_shown(lines, walk)
        verdict = Shown.NOT_SHOWN if reasons else Shown.WITHIN
    return OwnershipTable(lines, walk.together, walk.unstated, verdict, tuple(reasons))


def _not_shown(lines: Sequence[HoldingLine], walk: _Walk) -> list[str]:
    largest = max((each.all_of_it for each in lines), default=Fraction(0))
    if largest + walk.unstated <= EACH and walk.together + walk.unstated <= ALL_TOGETHER:
        return []
    return [f"nobody has stated who stands behind {show_share(walk.unstated)}"]


def show_share(share: Fraction) -> str:
    """Write a share in hundredths of a percent as a percentage.

    >>> show_share(Fraction(2450)), show_share(Fraction(3333, 100))
    ('24.5 %', '0.33 %')
    """
    return f"{float(share / 100):.2f}".rstrip("0").rstrip(".") + " %"


class _Walk:
    """Goes up from a host through everybody who has a share of it."""

    def __init__(self, sheet: HostSheet) -> None:
        self._sheet = sheet
        self._totals: dict[str, Fraction] = {}
        self._above: list[str] = []
        self.together = Fraction(0)
        self.unstated = Fraction(0)

    def up(self, held: str, part: Fraction, *, inside: bool) -> None:
        """Go up from one holder.

        part: how much of the host comes down through it. inside: nobody below it,
            nor itself, is from outside the Union.
        """
        if held in self._above:
            raise InvalidInput(
                f"{held} owns itself through others.",
                hint="State the holders of the outermost firm only.",
            )
        self._above.append(held)
        parents = [each for each in self._sheet.parents if each.of == held]
        for parent in parents:
            share = part * parent.share / WHOLE
            self._totals[parent.name] = self._totals.get(parent.name, Fraction(0)) + share
            foreign = not is_european(parent.country)
            if foreign and inside:
                self.together += share
            if not self._is_last(parent.name):
                self.up(parent.name, share, inside=inside and not foreign)
        if inside:
            self.unstated += part * (WHOLE - sum(each.share for each in parents)) / WHOLE
        self._above.pop()

    def _is_last(self, name: str) -> bool:
        return any(each.ultimate for each in self._sheet.parents if each.name == name)

    def lines(self) -> Iterator[HoldingLine]:
        """Tell of every holder from outside the Union."""
        for name, total in self._totals.items():
            said = [each for each in self._sheet.parents if each.name == name]
            if not is_european(said[0].country):
                yield HoldingLine(
                    name,
                    said[0].country,
                    sum(each.share for each in said if not each.of),
                    total,
                    any(each.veto for each in said),
                    any(each.appoints for each in said),
                )
