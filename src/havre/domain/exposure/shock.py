"""Ownership shock: each operator in turn is bought by a parent from outside the Union.

Pure computation over an analysis: what each takeover changes, which pairs of
takeovers expose what neither does alone, and whether a hub stays within what it
promises of itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import combinations

from havre.domain.exposure.clauses import Mode
from havre.domain.exposure.deployment import MessageKind
from havre.domain.exposure.verdicts import Analysis

# A law that nobody stands under yet, for hubs where no foreign law is asked about.
ANY_FOREIGN_LAW = "any foreign law"
MODES = (Mode.PASSIVE, Mode.ACTIVE)
# One takeover must not expose these: the margin is then at least 2.
STEADFAST = frozenset({MessageKind.BASE, MessageKind.SECRET})
NEEDED_MARGIN = 2


@dataclass(frozen=True, slots=True)
class ShockLine:
    """One takeover, and one message: margin before and after; null when nobody obtains it."""

    operator: str
    law: str
    message: str
    mode: Mode
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True)
class ShockPair:
    """Two takeovers that expose together what neither does alone."""

    operators: tuple[str, str]
    law: str
    message: str
    mode: Mode


@dataclass(frozen=True, slots=True)
class ShockFault:
    """A promise that one takeover breaks.

    operators: those through whom it breaks; each alone. They are excused where the hub
        can leave them in time, which is for the exit drill's receipts to say.
    """

    message: str
    law: str
    mode: Mode
    margin: int
    operators: tuple[str, ...]


def foreign_laws(analysis: Analysis) -> tuple[str, ...]:
    """List the laws that a buyer may bring; where none is asked about, one that is new."""
    return analysis.foreign_laws or (ANY_FOREIGN_LAW,)


def shock(analysis: Analysis) -> Iterator[ShockLine]:
    """Buy each operator in turn, and tell what is left of each margin."""
    for law in foreign_laws(analysis):
        reached = _reached(analysis, law)
        for message in analysis.deployment.messages:
            for mode in MODES:
                before = analysis.margin(message.name, mode=mode, reached=reached).size
                for operator, following in sorted(analysis.following.items()):
                    after = analysis.margin(message.name, mode=mode, reached=reached | following)
                    yield ShockLine(operator, law, message.name, mode, before, after.size)


def pairs(analysis: Analysis) -> Iterator[ShockPair]:
    """Find the pairs of takeovers that expose what neither does alone."""
    for law in foreign_laws(analysis):
        reached = _reached(analysis, law)
        outside = sorted(set(analysis.following) - reached)
        for message in analysis.deployment.messages:
            for mode in MODES:
                alone = _one_takeover_away(analysis, message.name, mode, reached)
                harmless = [name for name in outside if name not in alone]
                for one, other in combinations(harmless, 2):
                    side = reached | analysis.following[one] | analysis.following[other]
                    if analysis.suffice(side, message=message.name, mode=mode):
                        yield ShockPair((one, other), law, message.name, mode)


def faults_of_shock(
    analysis: Analysis, *, left_in_time: Collection[str] = ()
) -> Iterator[ShockFault]:
    """Find what one takeover would expose, of what a hub promises to bear.

    Bases, keys and secrets must have a margin of 2. A working set must too, or every
    operator through whom it is one takeover away is one that the hub can leave
    before the takeover holds, with a receipt of the exit drill for it.

    left_in_time: operators with such a receipt.
    """
    for law in foreign_laws(analysis):
        reached = _reached(analysis, law)
        for message in analysis.deployment.messages:
            if message.kind not in STEADFAST | {MessageKind.WORKING_SET}:
                continue
            for mode in MODES:
                margin = analysis.margin(message.name, mode=mode, reached=reached).size
                if margin is None or margin >= NEEDED_MARGIN:
                    continue
                through = _one_takeover_away(analysis, message.name, mode, reached)
                excused = message.kind is MessageKind.WORKING_SET and margin == 1
                if not (excused and set(through) <= set(left_in_time)):
                    yield ShockFault(message.name, law, mode, margin, through)


def _reached(analysis: Analysis, law: str) -> frozenset[str]:
    return analysis.reached(law) if law in analysis.deployment.laws else frozenset()


def _one_takeover_away(
    analysis: Analysis, message: str, mode: Mode, reached: frozenset[str]
) -> tuple[str, ...]:
    return tuple(
        name
        for name, following in sorted(analysis.following.items())
        if name not in reached and analysis.suffice(reached | following, message=message, mode=mode)
    )
