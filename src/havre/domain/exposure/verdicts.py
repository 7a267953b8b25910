"""The analysis of a deployment: for each message, law and mode, what is derivable and how far off.

A verdict says "derivable" or "not derivable" under the stated facts. It says
nothing of what is lawful, and nothing of copies that no fact names.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

from havre.domain.exposure.clauses import MODES, Mode
from havre.domain.exposure.closure import Closing, Step, cone_of
from havre.domain.exposure.coalitions import (
    Margin,
    MarginSearch,
    Tables,
    acting,
    acting_in,
    tabulate,
)
from havre.domain.exposure.deployment import Deployment, check_deployment, is_european
from havre.domain.exposure.evidence import Grade
from havre.domain.exposure.facts import Arguable, Fact, Function, Owns, Subject, Unstated
from havre.domain.exposure.reach import ReachStep, Reading, followers, reach


@dataclass(frozen=True, slots=True)
class Cell:
    """One question answered.

    derivable: whoever the law reaches obtains the message as things are.
    margin: how few more takeovers suffice. grade: the weakest fact that this rests on.
    """

    message: str
    law: str
    mode: Mode
    reading: Reading
    derivable: bool
    margin: Margin
    grade: Grade


@dataclass(frozen=True, slots=True)
class Coalitions:
    """Who is enough and who is not.

    least: the sets of operators that suffice, and none of which can be spared.
    safe: the greatest sets that do not suffice.
    """

    least: tuple[frozenset[str], ...]
    safe: tuple[frozenset[str], ...]

    @property
    def smallest(self) -> int | None:
        """How many must conspire at least; null when all together obtain nothing."""
        return len(self.least[0]) if self.least else None


class Analysis:
    """Everything that follows from a deployment's facts, worked out when it is first asked for."""

    def __init__(self, deployment: Deployment) -> None:
        """Analyse a deployment.

        Raises:
            InvalidInput: its facts contradict themselves, or too many operators act.
        """
        check_deployment(deployment)
        self.deployment = deployment
        self.closing = Closing(deployment)
        self.following = followers(deployment)
        self.tables = Tables(acting_in(deployment.facts))
        self._search = MarginSearch(self.tables, following=self.following)
        self.reaches: Mapping[tuple[str, Reading], tuple[ReachStep, ...]] = {
            (law, reading): reach(deployment, law=law, reading=reading)
            for law in deployment.laws
            for reading in Reading
        }

    @property
    def foreign_laws(self) -> tuple[str, ...]:
        """The laws from outside the European Union that are asked about."""
        return tuple(law for law in self.deployment.laws if not is_european(law))

    @cached_property
    def _tabulated(self) -> Mapping[Mode, Mapping[str, int]]:
        return {mode: tabulate(self.tables, self.closing.clauses, mode=mode) for mode in MODES}

    @cached_property
    def closures(self) -> Mapping[tuple[str, Reading, Mode], dict[str, Step]]:
        """What those whom a law reaches obtain, with the way to each term."""
        return {
            (law, reading, mode): self.closing.close(
                {step.operator: step.grade for step in steps}, mode=mode
            )
            for (law, reading), steps in self.reaches.items()
            for mode in MODES
        }

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """Every question answered: message by message, law by law, mode by mode."""
        return tuple(
            self._cell(message.name, law, mode, reading)
            for message in self.deployment.messages
            for law in self.deployment.laws
            for mode in MODES
            for reading in Reading
        )

    def cell(
        self, message: str, *, law: str, mode: Mode, reading: Reading = Reading.CERTAIN
    ) -> Cell:
        """Answer one question."""
        return self._cell(message, law, mode, reading)

    def _cell(self, message: str, law: str, mode: Mode, reading: Reading) -> Cell:
        step = self.closures[law, reading, mode].get(message)
        grade = step.grade if step else self.ground(message, mode=mode)
        margin = self.margin(message, mode=mode, reached=self.reached(law, reading))
        return Cell(message, law, mode, reading, step is not None, margin, grade)

    def reached(self, law: str, reading: Reading = Reading.CERTAIN) -> frozenset[str]:
        """Name whom a law reaches."""
        return frozenset(step.operator for step in self.reaches[law, reading])

    def margin(self, message: str, *, mode: Mode, reached: Collection[str]) -> Margin:
        """Find how few takeovers are needed on top of some operators."""
        return self._search.find(self._tabulated[mode].get(message, 0), reached=reached)

    def suffice(self, operators: Collection[str], *, message: str, mode: Mode) -> bool:
        """Say whether some operators together obtain a message."""
        table = self._tabulated[mode].get(message, 0)
        return bool(table >> self.tables.mask(operators) & 1)

    def coalitions(self, message: str, *, mode: Mode) -> Coalitions:
        """Find which sets of operators obtain a message."""
        table = self._tabulated[mode].get(message, 0)
        return Coalitions(
            tuple(self.tables.least(table)), tuple(self.tables.greatest_outside(table))
        )

    def grounds(self, message: str, *, mode: Mode) -> frozenset[int]:
        """Find the facts that a verdict "not derivable" rests on.

        They are those of every clause that could have a part, and all that is
        stated of where the operators in them stand, and of their parents.
        """
        clauses = list(cone_of(message, self.closing.clauses, mode=mode))
        places = {at for clause in clauses for at in clause.facts}
        above = {name for name in self.following if acting(clauses) & self.following[name]}
        places |= {at for at, fact in enumerate(self.deployment.facts) if _places(fact) & above}
        return frozenset(places)

    def ground(self, message: str, *, mode: Mode) -> Grade:
        """Grade a verdict "not derivable": the weakest fact in whose light it was reached.

        E0 where no fact says who could have the message: it is then an assumption.
        """
        places = self.grounds(message, mode=mode)
        return min((self.deployment.facts[at].evidence.grade for at in places), default=Grade.E0)

    @cached_property
    def stopping(self) -> Stopping:
        """Whose withdrawal stops the service."""
        return Stopping(self)


class Stopping:
    """Availability: the sets of operators whose withdrawal stops the service."""

    def __init__(self, analysis: Analysis) -> None:
        """Tabulate a deployment's functions.

        Raises:
            InvalidInput: too many operators are needed.
        """
        functions = [each for each in analysis.deployment.facts if isinstance(each, Function)]
        self._tables = Tables(
            name for each in functions for quorum in each.quorums for name in quorum
        )
        self._search = MarginSearch(self._tables, following=analysis.following)
        self._table = 0
        for function in functions:
            self._table |= self._stop(function)
        self.coalitions = Coalitions(
            tuple(self._tables.least(self._table)),
            tuple(self._tables.greatest_outside(self._table)),
        )

    def _stop(self, function: Function) -> int:
        """The sets that take a member out of each quorum."""
        broken = [
            self._tables.at_least(1, [self._tables.taking_part(name) for name in quorum])
            for quorum in function.quorums
        ]
        return self._tables.at_least(len(broken), broken)

    @property
    def kill_margin(self) -> int | None:
        """How many operators can withdraw, whoever they are, and the service goes on; null if all."""
        smallest = self.coalitions.smallest
        return None if smallest is None else smallest - 1

    def margin(self, reached: Collection[str]) -> Margin:
        """Find how few takeovers are needed before those reached can stop the service."""
        return self._search.find(self._table, reached=reached)


def _places(fact: Fact) -> frozenset[str]:
    """Name the operator of whom a fact says where it stands or whose it is."""
    if isinstance(fact, Subject | Arguable | Unstated):
        return frozenset({fact.operator})
    return frozenset({fact.child}) if isinstance(fact, Owns) else frozenset()
