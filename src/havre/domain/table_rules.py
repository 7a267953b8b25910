"""What a released table may hold: no small count, none that can be worked out, no rows of people.

A column is a count when its study declares it as one, or when it looks like one
and nothing else is declared; a column of numbers that count nobody is declared
as a measure, and checkers are told where that hides small numbers.

Sources: the output rules of the SNDS (no cell under 11 people), the SACRO and
ONS guidance on figures, on totals and on what is not declared.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from havre.domain.findings import Finding, Rule, Severity
from havre.domain.text_rules import check_words, number_of
from havre.errors import InvalidInput
from havre.formats.outputs import DescribedFile
from havre.formats.plain_csv import parse_plain_csv

# A table for publication is shorter than this; a longer one without counts is rows of people.
MAX_UNCOUNTED_ROWS = 200
# A count that never changes over more rows than this counts the rows: one each.
MAX_EQUAL_ROWS = 20
_FEWEST_STEPS = 4
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
# Without accents and in small letters, as `_words` gives them.
_COUNT_WORDS = frozenset(
    _WORD.findall(
        "n nb nbr num number numbers count counts freq frequency cases events deaths people"
        " persons patients subjects individuals stays admissions total totals nombre effectif"
        " effectifs cas deces sejours personnes sujets individus evenements"
    )
)
_EVENT_WORDS = frozenset({"cases", "events", "deaths", "died", "cas", "deces", "evenements"})
# "Cases per 1,000" is no number of cases.
_RATE_WORDS = frozenset(
    _WORD.findall("per rate rates ratio share pct percent mean median years taux part moyenne pour")
)
_ADDED_UP = frozenset({"cumulative", "cumul", "cumule", "cumules", "cumulated"})
_AT_RISK = (frozenset({"at", "risk"}), frozenset({"n", "risk"}), frozenset({"a", "risque"}))
_HIDDEN = frozenset({"", "*", "x", "s", "-", "<11", "secret", "n.d."})
# More people than have ever lived.
_MOST_DIGITS = 12
_PLAIN_COUNT = re.compile(r"0|[1-9][0-9]*")


def check_table(described: DescribedFile, content: bytes, *, min_count: int) -> Iterator[Finding]:
    """Hold a table against its rules.

    min_count: people; the smallest count that the permit lets out.
    """
    name = described.name
    try:
        titles, *rows = parse_plain_csv(content)
    except InvalidInput as fault:
        yield Finding(name, Rule.FORM, fault.message)
        return
    yield from check_words(name, [*titles, *(cell for row in rows for cell in row)])
    columns = {title: [row[at] for row in rows] for at, title in enumerate(titles)}
    yield from _check_length(described, len(rows))
    for title in (*described.counts, *described.measures):
        if title not in columns:
            said = "a column is declared that is not there"
            yield Finding(name, Rule.DESCRIPTION, said, column=title)
    for title, cells in columns.items():
        if title in described.counts:
            yield from _check_counts(name, title, cells, min_count)
        else:
            yield from _check_others(described, title, cells, min_count)
    yield from _check_survival(described, columns)


def _check_length(described: DescribedFile, rows: int) -> Iterator[Finding]:
    if rows <= MAX_UNCOUNTED_ROWS:
        return
    if described.counts:
        said, severity = "is long: does every row count people?", Severity.SHOULD
    else:
        said, severity = "is long and counts nobody: rows of single people?", Severity.MUST
    yield Finding(described.name, Rule.PEOPLE, said, severity)


def _check_counts(name: str, title: str, cells: Sequence[str], min_count: int) -> Iterator[Finding]:
    counts = [_count(cell) for cell in cells]
    hidden = [cell for cell in cells if cell.strip().lower() in _HIDDEN]
    shown = [count for count in counts if count is not None]
    if strange := len(cells) - len(shown) - len(hidden):
        yield Finding(name, Rule.FORM, "a count is no whole number", column=title, cells=strange)
    spelled = sum(
        count is not None and not _PLAIN_COUNT.fullmatch(cell)
        for cell, count in zip(cells, counts, strict=True)
    )
    if spelled or len(set(hidden)) > 1:
        said = "counts or hidden cells are spelled in more ways than one"
        yield Finding(name, Rule.FORM, said, column=title, cells=spelled or len(hidden))
    if small := sum(0 < count < min_count for count in shown):
        said = f"counts below {min_count}"
        yield Finding(name, Rule.SMALL_COUNT, said, column=title, cells=small)
    if len(hidden) == 1 and len(shown) > 2 and _has_total(shown):
        said = "one cell is hidden and a total gives it away"
        yield Finding(name, Rule.WORKED_OUT, said, column=title, cells=1)
    if len(cells) > MAX_EQUAL_ROWS and len(set(cells)) == 1:
        yield Finding(name, Rule.PEOPLE, "a count is the same in every row", column=title)
    yield from _check_steps(name, title, shown, min_count)


def _count(cell: str) -> int | None:
    number = number_of(cell)
    if number is None or number.adjusted() >= _MOST_DIGITS or number != int(number):
        return None
    return abs(int(number))


def _has_total(counts: Sequence[int]) -> bool:
    """Tell whether the largest count may be the sum of the others and a hidden one."""
    largest = max(counts)
    rest = sum(counts) - largest
    return rest <= largest < rest + largest // 2 + 1


def _check_steps(name: str, title: str, counts: Sequence[int], min_count: int) -> Iterator[Finding]:
    """People at risk leave from row to row, and what is added up grows: the step is a count.

    A column that is not named so, and goes one way only, is left to checkers: it
    may be sorted.
    """
    steps = [after - before for before, after in pairwise(counts)]
    small = sum(0 < abs(step) < min_count for step in steps)
    if not small:
        return
    one_way = len(steps) >= _FEWEST_STEPS and (max(steps) <= 0 or min(steps) >= 0)
    if _is_at_risk(title) or _words(title) & _ADDED_UP:
        severity = Severity.MUST
    elif one_way:
        severity = Severity.SHOULD
    else:
        return
    said = f"from row to row fewer than {min_count} come or go"
    yield Finding(name, Rule.WORKED_OUT, said, severity, title, small)


def _check_others(
    described: DescribedFile, title: str, cells: Sequence[str], min_count: int
) -> Iterator[Finding]:
    """Columns that are not declared as counts."""
    counts = [_count(cell) for cell in cells]
    small = sum(count is not None and 0 < count < min_count for count in counts)
    named = _is_count_title(title) and any(number_of(cell) is not None for cell in cells)
    if named:
        said = "is named like a count and is not declared as one"
        yield Finding(described.name, Rule.UNDECLARED, said, column=title)
    elif small and title in described.measures:
        said = f"is declared to count nobody, and has whole numbers below {min_count}"
        yield Finding(described.name, Rule.UNDECLARED, said, Severity.SHOULD, title, small)
    elif small:
        said = f"has whole numbers below {min_count} and is not declared: count or measure?"
        yield Finding(described.name, Rule.UNDECLARED, said, column=title, cells=small)


def _check_survival(
    described: DescribedFile, columns: Mapping[str, Sequence[str]]
) -> Iterator[Finding]:
    """Who is at risk times the fall of a survival share is a number of deaths: they must be there."""
    if not any(map(_is_at_risk, columns)):
        return
    if not any(_words(title) & _EVENT_WORDS for title in described.counts):
        said = "has a number at risk without the events of each interval, declared as counts"
        yield Finding(described.name, Rule.WORKED_OUT, said)


def _is_at_risk(title: str) -> bool:
    return any(words <= _words(title) for words in _AT_RISK)


def _is_count_title(title: str) -> bool:
    words = _words(title)
    return bool(_is_at_risk(title) or words & _COUNT_WORDS) and not words & _RATE_WORDS


def _words(title: str) -> frozenset[str]:
    """The words of a title in any spelling: `nbDécès`, `nb_deces`, `Nb. décès (2022)`."""
    bare = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    return frozenset(word.lower() for word in _WORD.findall(bare))
