"""What one coalition obtains, and how: the least set of terms that the clauses close.

The steps come in an order in which each rests only on those before it, and each
term by its best evidenced way: so the list of steps is a derivation of every
term in it, and, because nothing more follows, a proof that no other is obtained.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from havre.domain.exposure.clauses import Clause, Mode, Rule, compile_clauses, works_in
from havre.domain.exposure.deployment import Deployment
from havre.domain.exposure.evidence import Grade


@dataclass(frozen=True, slots=True)
class Step:
    """One term obtained.

    facts: places of the facts. terms: known before. operators: who took part.
    grade: the weakest on the way to this term, these operators' own included.
    """

    term: str
    rule: Rule
    facts: tuple[int, ...]
    terms: tuple[str, ...]
    operators: tuple[str, ...]
    grade: Grade


class Closing:
    """Closes coalitions of one deployment."""

    def __init__(self, deployment: Deployment) -> None:
        self._facts = deployment.facts
        self.clauses = compile_clauses(deployment)

    def close(self, coalition: Mapping[str, Grade], *, mode: Mode) -> dict[str, Step]:
        """Find everything that a coalition obtains in a mode.

        coalition: operators, each with how well it is known that it takes part.
        """
        steps: dict[str, Step] = {}
        usable = [clause for clause in self.clauses if works_in(clause, mode)]
        for level in sorted(Grade, reverse=True):
            side = {name for name, grade in coalition.items() if grade >= level}
            strong = [clause for clause in usable if self._grade_of(clause) >= level]
            grew = True
            while grew:
                grew = False
                for clause in strong:
                    if clause.head not in steps and _applies(clause, steps, side):
                        steps[clause.head] = self._step(clause, steps, coalition, side)
                        grew = True
        return steps

    def obtain(self, operators: Collection[str], *, mode: Mode) -> frozenset[str]:
        """Predict every term that some operators obtain together: what a drill may find with them."""
        return frozenset(self.close(dict.fromkeys(operators, Grade.E4), mode=mode))

    def _grade_of(self, clause: Clause) -> Grade:
        return min((self._facts[at].evidence.grade for at in clause.facts), default=Grade.E4)

    def _step(
        self,
        clause: Clause,
        steps: Mapping[str, Step],
        coalition: Mapping[str, Grade],
        side: Collection[str],
    ) -> Step:
        known = [term for term in clause.terms if term in steps][: clause.terms_needed]
        # Whoever must take part anyway signs first, so that nobody is named for nothing.
        signers = sorted(clause.by, key=lambda name: name not in clause.gates)
        by = [name for name in signers if name in side][: clause.by_needed]
        operators = tuple(dict.fromkeys((*by, *clause.gates)))
        grades = [
            self._grade_of(clause),
            *(steps[term].grade for term in known),
            *(coalition[name] for name in operators),
        ]
        return Step(clause.head, clause.rule, clause.facts, tuple(known), operators, min(grades))


def _applies(clause: Clause, steps: Collection[str], side: Collection[str]) -> bool:
    return (
        sum(term in steps for term in clause.terms) >= clause.terms_needed
        and sum(name in side for name in clause.by) >= clause.by_needed
        and all(name in side for name in clause.gates)
    )


def derivation_of(term: str, steps: Mapping[str, Step]) -> list[Step]:
    """List the steps that lead to one term, the term's own last; none when it is not there."""
    if term not in steps:
        return []
    needed = {term}
    for step in reversed(list(steps.values())):
        if step.term in needed:
            needed.update(step.terms)
    return [step for step in steps.values() if step.term in needed]


def cone_of(term: str, clauses: Collection[Clause], *, mode: Mode) -> Iterator[Clause]:
    """List every clause that could have a part in obtaining a term, whoever takes part."""
    leading: dict[str, list[Clause]] = {}
    for clause in clauses:
        if works_in(clause, mode):
            leading.setdefault(clause.head, []).append(clause)
    seen, waiting = {term}, [term]
    while waiting:
        for clause in leading.get(waiting.pop(), ()):
            yield clause
            fresh = set(clause.terms) - seen
            seen |= fresh
            waiting += sorted(fresh)
