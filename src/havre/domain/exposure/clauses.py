"""The rules, as clauses: from a deployment's facts, everything that can lead to a term.

One clause says: whoever has these terms, and has enough of these operators on
his side, obtains that term. Closing a coalition (`domain.exposure.closure`) and
finding all coalitions at once (`domain.exposure.coalitions`) read the same clauses.

Source: the rules of `docs/exposure.md`; Dolev and Yao, 1983, for the closure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from havre.domain.exposure.deployment import Deployment, terms_of
from havre.domain.exposure.facts import (
    Holds,
    Oracle,
    Public,
    Push,
    System,
    Threshold,
)
from havre.domain.exposure.terms import opening_of, subterms


class Mode(StrEnum):
    """What a coalition does: each mode can do what the one before it can.

    PASSIVE hands over what it has or can decrypt: a warrant, a subpoena.
    ACTIVE also changes code or firmware. BROKEN also takes what trusted hardware hides.
    """

    PASSIVE = "passive"
    ACTIVE = "active"
    BROKEN = "broken-hardware"


MODES = tuple(Mode)


class Rule(StrEnum):
    """By which rule a term is obtained."""

    PUBLIC = "public"
    HELD = "held"
    KEY = "key"
    ORACLE = "oracle"
    THRESHOLD = "threshold"
    HOST = "host"
    PUSH = "push"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One way to a term.

    facts: places of the facts it rests on.
    terms: at least `terms_needed` of these must be known before.
    by: at least `by_needed` of these operators must take part, and all `gates`.
    mode: the mildest mode in which it works.
    """

    rule: Rule
    head: str
    facts: tuple[int, ...] = ()
    terms: tuple[str, ...] = ()
    terms_needed: int = 0
    by: tuple[str, ...] = ()
    by_needed: int = 0
    gates: tuple[str, ...] = ()
    mode: Mode = Mode.PASSIVE


def universe_of(deployment: Deployment) -> tuple[str, ...]:
    """List every term that can occur: those of facts and messages, and what is inside them."""
    named = [term for fact in deployment.facts for term in terms_of(fact)]
    named += [message.name for message in deployment.messages]
    return tuple(sorted({inner for term in named for inner in subterms(term)}))


def compile_clauses(deployment: Deployment) -> tuple[Clause, ...]:
    """Write down every way to a term that the facts allow."""
    return (*_having(deployment), *_opening(deployment), *_running(deployment))


def works_in(clause: Clause, mode: Mode) -> bool:
    """Say whether a clause can be used in a mode."""
    return MODES.index(clause.mode) <= MODES.index(mode)


def _having(deployment: Deployment) -> Iterator[Clause]:
    for at, fact in enumerate(deployment.facts):
        if isinstance(fact, Public):
            yield Clause(rule=Rule.PUBLIC, head=fact.term, facts=(at,))
        elif isinstance(fact, Holds):
            yield Clause(
                rule=Rule.HELD, head=fact.term, facts=(at,), by=(fact.operator,), by_needed=1
            )
        elif isinstance(fact, Threshold):
            yield Clause(
                rule=Rule.THRESHOLD,
                head=fact.key,
                facts=(at,),
                terms=fact.shares,
                terms_needed=fact.needs,
            )


def _opening(deployment: Deployment) -> Iterator[Clause]:
    oracles: dict[str, list[tuple[int, str]]] = {}
    for at, fact in enumerate(deployment.facts):
        if isinstance(fact, Oracle):
            oracles.setdefault(fact.key, []).append((at, fact.operator))
    for term in universe_of(deployment):
        opened = opening_of(term)
        if opened is None:
            continue
        key, inner = opened
        yield Clause(rule=Rule.KEY, head=inner, terms=(term, key), terms_needed=2)
        for at, operator in oracles.get(key, ()):
            yield Clause(
                rule=Rule.ORACLE,
                head=inner,
                facts=(at,),
                terms=(term,),
                terms_needed=1,
                by=(operator,),
                by_needed=1,
            )


def _running(deployment: Deployment) -> Iterator[Clause]:
    systems = [(at, each) for at, each in enumerate(deployment.facts) if isinstance(each, System)]
    for at, system in systems:
        for term in system.clear:
            yield Clause(
                rule=Rule.HOST,
                head=term,
                facts=(at,),
                by=system.hosts,
                by_needed=1,
                mode=Mode.BROKEN if system.tee else Mode.PASSIVE,
            )
    for at, push in enumerate(deployment.facts):
        if isinstance(push, Push):
            pushed = [(place, system) for place, system in systems if system.name == push.system]
            for place, system in pushed:
                yield from _pushing(at, push, place=place, system=system)


def _pushing(at: int, push: Push, *, place: int, system: System) -> Iterator[Clause]:
    for term in system.clear:
        yield Clause(
            rule=Rule.PUSH,
            head=term,
            facts=(place, at),
            by=push.by,
            by_needed=push.signatures,
            gates=push.gates,
            mode=Mode.ACTIVE,
        )
