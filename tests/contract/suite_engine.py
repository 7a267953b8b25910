"""What every engine promises (`ports.engine`).

An adapter's test imports `*` from here and gives a fixture `engine`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from havre.adapters.tables.parquet import ParquetTables
from havre.domain.plan import Between, Follow, OneOf, Oppositions, Plan, TablePlan, Tie
from havre.errors import InvalidInput, NotGenuine
from havre.ports.engine import Engine, SourceFile

Seal = Callable[..., list[SourceFile]]


@pytest.fixture
def seal(tmp_path: Path) -> Seal:
    """Write each table to a sealed file with a key of its own."""

    def write(*tables: pa.Table) -> list[SourceFile]:
        sources = []
        for table in tables:
            number = len(list(tmp_path.iterdir()))
            path, key = tmp_path / f"it's {number}", bytes([number + 1]) * 32
            path.write_bytes(b"".join(ParquetTables().write(table, key=key)))
            sources.append(SourceFile(str(path), key))
        return sources

    return write


def rows_of(results: Mapping[str, Any], table: str) -> list[tuple[Any, ...]]:
    rows = pa.table(results[table]).to_pylist()
    return sorted((tuple(row.values()) for row in rows), key=repr)


PEOPLE = pa.table(
    {
        "PERSON": pa.array([b"a" * 16, b"b" * 16, b"b" * 16, None], pa.binary(16)),
        "BORN": pa.array([1950, 1980, None, 1950], pa.int64()),
        "DEPARTMENT": ["2A", "75", "75", "2A"],
    }
)
CARE = pa.table(
    {
        "PERSON": pa.array([b"a" * 16, b"a" * 16, b"b" * 16, None, b"c" * 16], pa.binary(16)),
        "DAY": [date(2021, 1, 1), date(2022, 1, 1), date(2021, 6, 1), date(2021, 1, 1), None],
        "FLOW": [1, 2, 3, 4, 5],
        "LINE": [1, 1, 2, None, 9],
    }
)
DRUGS = pa.table(
    {"FLOW": [1, 1, 2, 3, 4, None], "LINE": [1, 1, 9, 2, None, None], "CIP": list("uvwxyz")}
)


def test_columns_come_out_in_the_plans_order_and_equal_rows_stay(
    engine: Engine, seal: Seal
) -> None:
    plan = Plan((TablePlan(table="P", columns=("DEPARTMENT", "PERSON")),))

    rows = rows_of(engine.run(plan, sources={"P": seal(PEOPLE, PEOPLE)}), "P")

    assert len(rows) == 8
    assert rows[0] == ("2A", None)


def test_bounds_are_included_and_an_empty_cell_passes_nothing(engine: Engine, seal: Seal) -> None:
    period = Between("DAY", date(2021, 1, 1), date(2021, 6, 1))
    plan = Plan((TablePlan(table="C", columns=("FLOW",), conditions=(period,)),))

    assert rows_of(engine.run(plan, sources={"C": seal(CARE)}), "C") == [(1,), (3,), (4,)]


def test_every_condition_must_pass(engine: Engine, seal: Seal) -> None:
    conditions = (OneOf("DEPARTMENT", ("75", "2A")), Between("BORN", 1900, 1950))
    plan = Plan((TablePlan(table="P", columns=("BORN",), conditions=conditions),))

    assert rows_of(engine.run(plan, sources={"P": seal(PEOPLE)}), "P") == [(1950,), (1950,)]


def test_a_day_means_the_whole_day_of_a_moment(engine: Engine, seal: Seal) -> None:
    hours = [-1, 0, 23, 24]
    moments = pa.array([hour * 3_600_000_000 for hour in hours], pa.timestamp("us"))
    day = Between("AT", date(1970, 1, 1), date(1970, 1, 1))
    plan = Plan((TablePlan(table="M", columns=("N",), conditions=(day,)),))

    results = engine.run(plan, sources={"M": seal(pa.table({"AT": moments, "N": hours}))})

    assert rows_of(results, "M") == [(0,), (23,)]


def test_rows_follow_the_kept_rows_of_an_earlier_table(engine: Engine, seal: Seal) -> None:
    """People of a department, their care, and the drugs of that care, by two columns."""
    plan = Plan(
        (
            TablePlan(table="P", columns=(), conditions=(OneOf("DEPARTMENT", ("2A",)),)),
            TablePlan(
                table="C", columns=("FLOW",), follows=(Follow("P", ("PERSON",), ("PERSON",)),)
            ),
            TablePlan(
                table="D",
                columns=("CIP",),
                follows=(Follow("C", ("FLOW", "LINE"), ("FLOW", "LINE")),),
            ),
        )
    )

    results = engine.run(plan, sources={"P": seal(PEOPLE), "C": seal(CARE), "D": seal(DRUGS)})

    assert list(results) == ["C", "D"]
    assert rows_of(results, "C") == [(1,), (2,)]
    assert rows_of(results, "D") == [("u",), ("v",)]


def test_a_table_without_files_has_no_rows_and_nobody_follows_it(
    engine: Engine, seal: Seal
) -> None:
    plan = Plan(
        (
            TablePlan(table="P", columns=("PERSON",)),
            TablePlan(
                table="C", columns=("FLOW",), follows=(Follow("P", ("PERSON",), ("PERSON",)),)
            ),
        )
    )

    results = engine.run(plan, sources={"P": [], "C": seal(CARE)})

    assert list(results) == ["C"]
    assert rows_of(results, "C") == []


def test_a_column_that_some_files_lack_is_empty_there(engine: Engine, seal: Seal) -> None:
    plan = Plan((TablePlan(table="C", columns=("A", "B")),))
    files = seal(pa.table({"A": [1]}), pa.table({"B": ["x"], "A": [2]}))

    assert rows_of(engine.run(plan, sources={"C": files}), "C") == [(1, None), (2, "x")]


def test_a_column_that_no_file_has_is_named(engine: Engine, seal: Seal) -> None:
    plan = Plan((TablePlan(table="C", columns=("FLOW", "MISSING")),))

    with pytest.raises(InvalidInput, match="MISSING"):
        engine.run(plan, sources={"C": seal(CARE)})


def test_a_condition_of_another_type_is_refused(engine: Engine, seal: Seal) -> None:
    plan = Plan((TablePlan(table="C", columns=("FLOW",), conditions=(OneOf("FLOW", ("1",)),)),))

    with pytest.raises(InvalidInput, match="FLOW"):
        engine.run(plan, sources={"C": seal(CARE)})


def test_a_wrong_key_opens_nothing_and_is_not_shown(engine: Engine, seal: Seal) -> None:
    (file,) = seal(CARE)
    wrong = SourceFile(file.path, b"w" * 32)
    plan = Plan((TablePlan(table="C", columns=("FLOW",)),))

    with pytest.raises(NotGenuine) as refusal:
        rows_of(engine.run(plan, sources={"C": [wrong]}), "C")
    assert "wwww" not in str(refusal.value) + repr(wrong)


def test_a_flipped_byte_is_refused(engine: Engine, seal: Seal) -> None:
    (file,) = seal(CARE)
    altered = bytearray(Path(file.path).read_bytes())
    altered[40] ^= 1
    Path(file.path).write_bytes(altered)
    plan = Plan((TablePlan(table="C", columns=("PERSON", "DAY", "FLOW", "LINE")),))

    with pytest.raises((NotGenuine, pa.ArrowException)):
        rows_of(engine.run(plan, sources={"C": [file]}), "C")


def people(*numbers: bytes | None) -> pa.Array:
    return pa.array([number and number * 16 for number in numbers], pa.binary(16))


LISTED = pa.table({"NUMBER": people(b"b", b"n")})
STAYS = pa.table(
    {
        "PATIENT": people(b"a", b"b", None, b"c", b"d"),
        "MOTHER": people(None, None, None, b"b", b"a"),
        "STAY": [1, 2, 3, 4, 5],
    }
)
ACTS = pa.table({"STAY": [1, 1, 2, 2, 4], "ACT": list("vwxyz")})


def without(*parts: TablePlan, ties: tuple[Tie, ...] = ()) -> Plan:
    return Plan(parts, Oppositions("LIST", "NUMBER", ties))


def test_a_row_that_names_somebody_who_objects_is_left_out_with_what_follows_it(
    engine: Engine, seal: Seal
) -> None:
    """In whatever column they are named, and with an empty cell nobody is."""
    plan = without(
        TablePlan(table="S", columns=("STAY",), names=("PATIENT", "MOTHER")),
        TablePlan(table="A", columns=("ACT",), follows=(Follow("S", ("STAY",), ("STAY",)),)),
    )
    sources = {"LIST": seal(LISTED), "S": seal(STAYS), "A": seal(ACTS)}

    results = engine.run(plan, sources=sources)

    assert rows_of(results, "S") == [(1,), (3,), (5,)]
    assert rows_of(results, "A") == [("v",), ("w",)]


def test_several_lists_count_together(engine: Engine, seal: Seal) -> None:
    plan = without(TablePlan(table="S", columns=("STAY",), names=("PATIENT",)))
    lists = seal(LISTED, pa.table({"NUMBER": people(b"a")}))

    results = engine.run(plan, sources={"LIST": lists, "S": seal(STAYS)})

    assert rows_of(results, "S") == [(3,), (4,), (5,)]


def test_somebody_who_objects_is_found_under_every_number_that_rows_tie_together(
    engine: Engine, seal: Seal
) -> None:
    """From row to row: child's number, own number, number after a marriage."""
    tied = pa.table(
        {
            "PSA": people(b"d", b"c", b"b", b"a", None),
            "ANO": people(b"2", b"2", b"1", None, b"1"),
            "IDT": people(b"x", None, b"x", b"a", b"z"),
            "AREA": ["out", "in", "out", "in", "in"],
        }
    )
    plan = without(
        TablePlan(table="S", columns=("STAY",), names=("PATIENT",)),
        # What the plan keeps of a table changes nothing about whom it ties.
        TablePlan(
            table="T", columns=("AREA",), conditions=(OneOf("AREA", ("in",)),), names=("PSA",)
        ),
        ties=(Tie("T", ("PSA", "ANO", "IDT")),),
    )
    sources = {"LIST": seal(LISTED), "S": seal(STAYS), "T": seal(tied)}

    results = engine.run(plan, sources=sources)

    assert rows_of(results, "S") == [(1,), (3,)]
    assert rows_of(results, "T") == [("in",), ("in",)]


def test_a_register_and_ties_without_a_file_leave_nobody_out(engine: Engine, seal: Seal) -> None:
    plan = without(
        TablePlan(table="S", columns=("STAY",), names=("PATIENT",)),
        ties=(Tie("T", ("PSA", "ANO")),),
    )

    results = engine.run(plan, sources={"LIST": [], "T": [], "S": seal(STAYS)})

    assert len(rows_of(results, "S")) == 5
