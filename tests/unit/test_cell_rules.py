"""Which cells are of their column's type, whatever the reader underneath would take for one."""

from __future__ import annotations

import pyarrow as pa
import pytest

from havre.adapters.sources.rules import TableRules, check_rules
from havre.domain.schema import Column, ColumnType, TableSchema
from havre.errors import InvalidInput


@pytest.mark.parametrize(
    ("kind", "form", "good", "bad"),
    [
        (
            ColumnType.DATE,
            "%Y-%m-%d",
            ["2024-01-13", "0001-01-01", "9999-12-31", None],
            ["0000-01-01", "-001-01-01", "+024-01-13", " 024-01-13", "2024- 1-13", "10000-1-01"],
        ),
        (ColumnType.DATE, "%d%m%Y", ["13012024"], ["1301 024", "1301-024", "1301+024"]),
        (
            ColumnType.DATETIME,
            "%d%b%Y:%H:%M:%S",
            ["13JAN2024:10:11:12"],
            ["13JAN12024:10:11:12", "13JAN0000:10:11:12", "13JAN-001:10:11:12"],
        ),
        (
            ColumnType.DATETIME,
            "%Y-%m-%dT%H:%M:%S",
            ["2024-01-13T10:11:12"],
            ["+12024-01-13T10:11:12", "2024-01-13T10:11: 2"],
        ),
    ],
)
def test_a_date_has_its_own_digits_and_a_year_from_1_to_9999(
    kind: ColumnType, form: str, good: list[str | None], bad: list[str]
) -> None:
    """One cell of the year -1 made the bounds of a file impossible to write, and stopped the hub."""
    column = Column(name="D", type=kind, date_format=form)
    rules = TableRules(TableSchema(name="T", dataset="d", columns=(column,)))

    _, broken = rules.judge(pa.record_batch({"D": pa.array([*good, *bad], pa.string())}))

    assert broken.tolist() == [False] * len(good) + [True] * len(bad)


@pytest.mark.parametrize(
    "column",
    [
        Column(name="C", pattern="^(?!00)[0-9]+$"),
        Column(name="C", pattern="["),
        Column(name="C", type=ColumnType.DATE, date_format="any"),
        Column(name="C", type=ColumnType.DATE, date_format="%Y-%m"),
        Column(name="C", type=ColumnType.DATETIME, date_format="%Y-%m-%dT%H"),
        Column(name="C", type=ColumnType.DECIMAL, scale=19),
    ],
)
def test_a_rule_by_which_nothing_can_be_checked_is_refused_before_it_is_taken_in(
    column: Column,
) -> None:
    """A pattern that looks ahead was imported, and every delivery of its table ended the ingest."""
    good = Column(name="G", pattern="[0-9]{2}", type=ColumnType.STRING)
    table = TableSchema(name="T", dataset="d", columns=(good, column))

    with pytest.raises(InvalidInput, match=r"by: T\.C \("):
        check_rules([table])
