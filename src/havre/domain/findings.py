"""What the check of outputs can say: to its author one of eight rules, to checkers also where.

A study chooses its files. Whatever the machine tells its author about them is
therefore a way out of the sandbox that nobody looks at: a place or a number of
cells carries as many bytes as the study likes. The author hears which of these
rules broke, at most eight bits a submission; checkers see the rest, and may
tell him.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

# Of a name that the study chose, only this is shown: a screen obeys other characters.
_SHOWN = re.compile(r"[^ -~\u00a1-\u00ac\u00ae-\u017f]")


class Rule(StrEnum):
    """A rule, in the only words that an author is told."""

    DESCRIPTION = "outputs.json and the files do not say the same"
    PERMIT = "the permit lets no file of this kind out"
    FORM = "a file is not of the plain form of its kind"
    SMALL_COUNT = "a count is below the permit's smallest"
    WORKED_OUT = "a small count can be worked out"
    UNDECLARED = "numbers that may be counts are not declared"
    PEOPLE = "something looks like single people"
    UNSEEN = "something is there that a reader would not see, or a spreadsheet would run"


class Severity(StrEnum):
    """A must finding closes the way out; a should finding is for the checkers' eyes."""

    MUST = "must"
    SHOULD = "should"


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken rule.

    said: what is wrong, for checkers. column: empty when it is about the whole file.
    cells: how many; 0 when it is about the whole file.
    """

    file: str
    rule: Rule
    said: str
    severity: Severity = Severity.MUST
    column: str = ""
    cells: int = 0

    @property
    def sentence(self) -> str:
        """The finding in words, for checkers; it never shows a cell.

        >>> Finding("t.csv", Rule.SMALL_COUNT, "counts below 11", column="n", cells=1).sentence
        't.csv, column n: counts below 11 (1 cell)'
        """
        place = f"{self.file}, column {self.column}" if self.column else self.file
        many = f" ({self.cells} cell{'s' * (self.cells > 1)})" if self.cells else ""
        hint = "" if self.severity is Severity.MUST else " - please look"
        return f"{_SHOWN.sub('?', place)}: {self.said}{many}{hint}"


def must_findings(findings: Sequence[Finding]) -> list[Finding]:
    """Those that close the way out."""
    return [each for each in findings if each.severity is Severity.MUST]


def broken_rules(findings: Sequence[Finding]) -> list[str]:
    """All that an author is told: which rules broke, in the order of their table."""
    broken = {each.rule for each in must_findings(findings)}
    return [rule.value for rule in Rule if rule in broken]
