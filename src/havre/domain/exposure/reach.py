"""Whom a law reaches: those who stand under it, and all whom these control.

Two readings. CERTAIN counts what is stated. WIDEST also counts what is argued,
and operators of whom nobody has said where they stand: an unknown is no comfort.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from havre.domain.exposure.deployment import Deployment
from havre.domain.exposure.evidence import Grade
from havre.domain.exposure.facts import Arguable, Owns, Subject, Unstated


class Reading(StrEnum):
    """Which facts about reach are counted."""

    CERTAIN = "certain"
    WIDEST = "widest"


class ReachRule(StrEnum):
    """Why a law reaches an operator."""

    SUBJECT = "subject"
    ARGUABLE = "arguable"
    UNSTATED = "unstated"
    CONTROLLED = "controlled"


@dataclass(frozen=True, slots=True)
class ReachStep:
    """One operator reached.

    fact: the place of the fact. through: the parent, reached before, or null.
    grade: the weakest on the best way there.
    """

    operator: str
    rule: ReachRule
    fact: int
    through: str | None
    grade: Grade


def reach(deployment: Deployment, *, law: str, reading: Reading) -> tuple[ReachStep, ...]:
    """List whom a law reaches, each after those through whom it does.

    Where there are several ways to an operator, the best evidenced is taken.
    """
    steps: dict[str, ReachStep] = {}
    ways = list(_ways(deployment, law=law, reading=reading))
    for level in sorted(Grade, reverse=True):
        grew = True
        while grew:
            grew = False
            for operator, rule, fact, through in ways:
                grade = deployment.facts[fact].evidence.grade
                if operator in steps or grade < level:
                    continue
                if through is None or through in steps:
                    weakest = grade if through is None else min(grade, steps[through].grade)
                    steps[operator] = ReachStep(operator, rule, fact, through, weakest)
                    grew = True
    return tuple(steps.values())


def _ways(
    deployment: Deployment, *, law: str, reading: Reading
) -> Iterator[tuple[str, ReachRule, int, str | None]]:
    """Write down each way to be reached: whom, why, by which fact, through whom."""
    for at, fact in enumerate(deployment.facts):
        if isinstance(fact, Subject) and fact.law == law:
            yield fact.operator, ReachRule.SUBJECT, at, None
        elif isinstance(fact, Owns) and fact.control:
            yield fact.child, ReachRule.CONTROLLED, at, fact.parent
        elif reading is Reading.WIDEST and isinstance(fact, Arguable) and fact.law == law:
            yield fact.operator, ReachRule.ARGUABLE, at, None
        elif reading is Reading.WIDEST and isinstance(fact, Unstated):
            yield fact.operator, ReachRule.UNSTATED, at, None


def followers(deployment: Deployment) -> Mapping[str, frozenset[str]]:
    """Tell for each operator who comes with it when it is taken over: itself and all it controls."""
    children: dict[str, set[str]] = {name: set() for name in deployment.operators}
    for fact in deployment.facts:
        if isinstance(fact, Owns) and fact.control:
            children[fact.parent].add(fact.child)
    return {name: frozenset(_below(name, children)) for name in deployment.operators}


def taken(names: Iterable[str], following: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Tell who is on the side of whoever has taken these over."""
    return frozenset().union(*(following[name] for name in names))


def _below(name: str, children: Mapping[str, set[str]]) -> set[str]:
    found, waiting = {name}, [name]
    while waiting:
        fresh = children[waiting.pop()] - found
        found |= fresh
        waiting += fresh
    return found
