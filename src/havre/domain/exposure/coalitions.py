"""All coalitions at once: which are just enough for a term, which are just too few.

What a coalition obtains only grows with it. So for `n` operators a term is a
table of 2^n bits, one for each coalition, and a rule is an AND, an OR or a count
over whole tables. Python's integers are such tables: with 12 operators, 512 bytes.

Exact, whatever the facts are; the price is the bound on how many operators may
take part. One who holds nothing and decides nothing does not count.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from havre.domain.exposure.clauses import Clause, Mode, works_in
from havre.domain.exposure.deployment import operators_of
from havre.domain.exposure.facts import Fact, Holds, Oracle, Push, System
from havre.errors import InvalidInput

MOST_ACTING = 20


class Tables:
    """Truth tables over the coalitions of some operators."""

    def __init__(self, operators: Iterable[str]) -> None:
        """Make the tables of the operators themselves.

        Raises:
            InvalidInput: they are more than can be tabulated.
        """
        self.operators: tuple[str, ...] = tuple(sorted(set(operators)))
        count = len(self.operators)
        if count > MOST_ACTING:
            raise InvalidInput(
                f"{count} operators hold or decide something; at most {MOST_ACTING} can be analysed.",
                hint="Let operators who always act together stand under one name.",
            )
        self.all = (1 << (1 << count)) - 1
        self._taking_part = {name: self._part(at) for at, name in enumerate(self.operators)}

    def _part(self, at: int) -> int:
        """The table of "operator `at` takes part": blocks of zeros and ones by turns."""
        table, width = ((1 << (1 << at)) - 1) << (1 << at), 2 << at
        while width < 1 << len(self.operators):
            table |= table << width
            width *= 2
        return table

    def taking_part(self, name: str) -> int:
        """The coalitions in which an operator takes part."""
        return self._taking_part[name]

    def at_least(self, needed: int, tables: Sequence[int]) -> int:
        """The coalitions that are in at least `needed` of some tables."""
        reached = [self.all, *([0] * needed)]
        for table in tables:
            for count in range(needed, 0, -1):
                reached[count] |= reached[count - 1] & table
        return reached[needed]

    def mask(self, names: Collection[str]) -> int:
        """The place of one coalition in every table; who is not tabulated counts for nothing."""
        return sum(1 << at for at, name in enumerate(self.operators) if name in names)

    def least(self, table: int) -> list[frozenset[str]]:
        """List the coalitions of a table of which no smaller one is in it; smallest first."""
        bigger = 0
        for at, name in enumerate(self.operators):
            bigger |= (table & ~self._taking_part[name]) << (1 << at)
        return self._named(table & ~bigger)

    def greatest_outside(self, table: int) -> list[frozenset[str]]:
        """List the coalitions outside a table to which nobody can be added; largest first."""
        outside = self.all & ~table
        extendable = 0
        for at, name in enumerate(self.operators):
            extendable |= (outside & self._taking_part[name]) >> (1 << at)
        return self._named(outside & ~extendable)[::-1]

    def _named(self, table: int) -> list[frozenset[str]]:
        found = []
        for place, byte in enumerate(_bytes(table)):
            for bit in range(8):
                if byte >> bit & 1:
                    mask = place * 8 + bit
                    found.append(
                        frozenset(name for at, name in enumerate(self.operators) if mask >> at & 1)
                    )
        return sorted(found, key=lambda each: (len(each), sorted(each)))


def _bytes(table: int) -> bytes:
    return table.to_bytes(table.bit_length() // 8 + 1, "little")


def acting(clauses: Iterable[Clause]) -> set[str]:
    """Name the operators who have a part in some clauses."""
    return {name for clause in clauses for name in (*clause.by, *clause.gates)}


def acting_in(facts: Iterable[Fact]) -> set[str]:
    """Name the operators who hold something, host or push, or have a key used."""
    kinds = Holds | Oracle | System | Push
    return {name for fact in facts if isinstance(fact, kinds) for name in operators_of(fact)}


def tabulate(tables: Tables, clauses: Sequence[Clause], *, mode: Mode) -> dict[str, int]:
    """Make the table of every term: the coalitions that obtain it."""
    usable = [clause for clause in clauses if works_in(clause, mode)]
    sides = [
        tables.at_least(clause.by_needed, [tables.taking_part(name) for name in clause.by])
        & tables.at_least(len(clause.gates), [tables.taking_part(name) for name in clause.gates])
        for clause in usable
    ]
    known: dict[str, int] = {}
    grew = True
    while grew:
        grew = False
        for clause, side in zip(usable, sides, strict=True):
            premises = [known.get(term, 0) for term in clause.terms]
            before = known.get(clause.head, 0)
            after = before | side & tables.at_least(clause.terms_needed, premises)
            if after != before:
                known[clause.head] = after
                grew = True
    return known


@dataclass(frozen=True, slots=True)
class Margin:
    """How far something is from being obtained.

    takeovers: as few operators as suffice when they are taken over; null when all
        of them together do not.
    """

    takeovers: tuple[str, ...] | None

    @property
    def size(self) -> int | None:
        """How many: 0 when it is obtained as things are."""
        return None if self.takeovers is None else len(self.takeovers)


class MarginSearch:
    """Finds margins in one table."""

    def __init__(self, tables: Tables, *, following: Mapping[str, frozenset[str]]) -> None:
        """Search with whoever follows each operator that is taken over, itself included."""
        self._tables = tables
        self._following = following
        self._masks = {name: tables.mask(names) for name, names in following.items()}

    def find(self, table: int, *, reached: Collection[str]) -> Margin:
        """Find the fewest takeovers after which whoever has `reached` is in the table."""
        held = self._tables.mask(reached)
        bits = _bytes(table)
        choices = self._choices(held)
        for size in range(len(choices) + 1):
            for chosen in combinations(choices, size):
                mask = held
                for name in chosen:
                    mask |= self._masks[name]
                if mask >> 3 < len(bits) and bits[mask >> 3] >> (mask & 7) & 1:
                    return Margin(chosen)
        return Margin(None)

    def _choices(self, held: int) -> list[str]:
        """List whom to take over: nobody who brings only what another one brings as well.

        Of several who bring the same, the one who decides least: the firm, not its parent.
        """
        chosen: dict[int, str] = {}
        gains = {name: mask & ~held for name, mask in self._masks.items()}

        def worth(name: str) -> tuple[int, int, str]:
            return -gains[name].bit_count(), len(self._following[name]), name

        for name in sorted(gains, key=worth):
            gain = gains[name]
            if gain and not any(gain & ~more == 0 for more in chosen):
                chosen[gain] = name
        return sorted(chosen.values())
