"""A file is left out only when no row of it can pass."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from havre.adapters.tables.parquet import ParquetTables
from havre.domain.plan import Between, Condition, Follow, OneOf, Oppositions, Plan, TablePlan, Tie
from havre.domain.pruning import choose_files, may_hold
from havre.formats.manifest import ColumnBounds

DAYS = {"DAY": ColumnBounds("2021-01-01", "2021-12-31", 4)}


@pytest.mark.parametrize(
    ("low", "high", "kept"),
    [
        (date(2020, 1, 1), date(2020, 12, 31), False),
        (date(2020, 1, 1), date(2021, 1, 1), True),
        (date(2021, 12, 31), date(2023, 1, 1), True),
        (date(2022, 1, 1), date(2023, 1, 1), False),
    ],
)
def test_bounds_are_included(low: date, high: date, kept: bool) -> None:
    assert may_hold(DAYS, [Between("DAY", low, high)]) is kept


def test_a_moment_is_of_its_day() -> None:
    noon = {"AT": ColumnBounds("2021-01-01T12:00:00", "2021-01-01T12:00:00", 0)}

    assert may_hold(noon, [Between("AT", date(2021, 1, 1), date(2021, 1, 1))])


def test_numbers_are_compared_as_numbers() -> None:
    assert may_hold({"N": ColumnBounds("-10", "9", 0)}, [Between("N", 5, 100)])
    assert not may_hold({"N": ColumnBounds("10", "200", 0)}, [OneOf("N", (9, 3))])


@pytest.mark.parametrize("bounds", [{}, {"DAY": ColumnBounds(None, None, 7)}])
def test_what_is_not_known_may_hold_anything(bounds: dict[str, ColumnBounds]) -> None:
    assert may_hold(bounds, [Between("DAY", date(2020, 1, 1), date(2020, 1, 2))])


def test_one_condition_that_nothing_passes_is_enough() -> None:
    conditions: list[Condition] = [
        OneOf("CODE", ("x",)),
        Between("DAY", date(1999, 1, 1), date(2000, 1, 1)),
    ]

    assert not may_hold(DAYS, conditions)


_CELLS: list[tuple[pa.DataType, st.SearchStrategy[Any], st.SearchStrategy[Any]]] = [
    (pa.int64(), st.integers(-3, 30), st.integers(-3, 30)),
    (pa.string(), st.text("aAé2 ", max_size=2), st.text("aAé2 ", max_size=2)),
    (
        pa.date32(),
        st.dates(date(999, 1, 1), date(2100, 1, 1)),
        st.dates(max_value=date(2100, 1, 1)),
    ),
    (
        pa.timestamp("us"),
        st.datetimes(datetime(2020, 1, 1), datetime(2020, 1, 9)),  # noqa: DTZ001
        st.dates(date(2019, 12, 30), date(2020, 1, 12)),
    ),
]


@settings(deadline=None, derandomize=True)
@given(st.data(), st.sampled_from(_CELLS))
def test_no_file_with_a_row_that_passes_is_left_out(data: st.DataObject, kind: Any) -> None:
    arrow, cells, limits = kind
    rows = data.draw(st.lists(st.none() | cells, max_size=5))
    low, high = data.draw(limits), data.draw(limits)
    write = ParquetTables().write(pa.table({"C": pa.array(rows, arrow)}), key=bytes(32))
    list(write)

    days = [row.date() if isinstance(row, datetime) else row for row in rows if row is not None]
    if any(low <= day <= high for day in days):
        assert may_hold(write.facts.bounds, [Between("C", low, high)])


JANUARY = Between("DAY", date(2021, 1, 1), date(2021, 1, 31))
PLAN = Plan(
    (
        TablePlan(table="CARE", columns=("DAY",), conditions=(JANUARY,)),
        TablePlan(
            table="DRUGS",
            columns=("CODE",),
            follows=(Follow("CARE", ("KEY", "RANK"), ("KEY", "RANK")),),
        ),
    )
)


def described(kind: pa.DataType, rows: list[tuple[Any, int, date]]) -> dict[str, ColumnBounds]:
    keys, ranks, days = zip(*rows, strict=True)
    table = pa.table({"KEY": pa.array(keys, kind), "RANK": ranks, "DAY": pa.array(days)})
    write = ParquetTables().write(table, key=bytes(32))
    list(write)
    return dict(write.facts.bounds)


_KEYS: list[tuple[pa.DataType, st.SearchStrategy[Any]]] = [
    (pa.int64(), st.integers(-12, 120)),
    (pa.string(), st.text("0129a", max_size=3)),
    (pa.date32(), st.dates(date(999, 1, 1), date(2100, 1, 1))),
    (pa.timestamp("us"), st.datetimes(datetime(2020, 1, 1), datetime(2020, 1, 9))),  # noqa: DTZ001
    (pa.decimal128(9, 2), st.decimals(-20, 120, places=2)),
    (pa.binary(2), st.binary(min_size=2, max_size=2)),
]


@settings(deadline=None, derandomize=True)
@given(st.data(), st.sampled_from(_KEYS))
def test_no_file_is_left_out_that_has_a_row_which_follows_one_of_the_period(
    data: st.DataObject, kind: Any
) -> None:
    arrow, keys = kind
    days = st.sampled_from([date(2020, 12, 31), date(2021, 1, 1), date(2021, 1, 31)])
    rows = st.lists(st.tuples(st.none() | keys, st.integers(0, 2), days), min_size=1, max_size=3)
    care, drugs = data.draw(st.lists(rows, max_size=3)), data.draw(st.lists(rows, max_size=3))
    owned = {row[:2] for file in care for row in file if row[2].year == 2021}
    files = [("DRUGS", each) for each in drugs] + [("CARE", each) for each in care]

    chosen = choose_files(PLAN, [(table, described(arrow, each)) for table, each in files])

    for place, (table, each) in enumerate(files):
        is_needed = (
            any(row[2].year == 2021 for row in each)
            if table == "CARE"
            else any(row[0] is not None and row[:2] in owned for row in each)
        )
        assert place in chosen or not is_needed


def test_a_period_reaches_a_table_that_has_no_date() -> None:
    def file(table: str, key: int, day: date) -> tuple[str, dict[str, ColumnBounds]]:
        return table, described(pa.int64(), [(key, 1, day)])

    may, july = date(2021, 1, 5), date(2021, 7, 5)
    files = [
        file("DRUGS", 1, may),
        file("DRUGS", 2, may),
        file("CARE", 1, may),
        file("CARE", 2, july),
    ]

    assert choose_files(PLAN, files) == [0, 2]
    tied = Plan(PLAN.tables, Oppositions("WHO", "NUMBER", ties=(Tie("CARE", ("KEY",)),)))
    assert choose_files(tied, [*files, ("WHO", {}), ("OTHER", {})]) == [0, 1, 2, 3, 4]
