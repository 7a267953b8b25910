"""Whatever the tables and the plan, DuckDB keeps the rows that the loops keep."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from havre.adapters.engines.duckdb import DuckDbEngine
from havre.adapters.engines.reference import ReferenceEngine
from havre.adapters.tables.parquet import ParquetTables
from havre.domain.plan import (
    Between,
    Condition,
    Follow,
    OneOf,
    Oppositions,
    Plan,
    TablePlan,
    Tie,
)
from havre.ports.engine import Engine, SourceFile

# Few values of each kind, so that rows meet.
_DAYS = st.dates(date(2021, 1, 1), date(2021, 1, 4))
_CODES = st.sampled_from(["", "a", "A", "é", "a'b"])
_NUMBERS = st.integers(-2, 2)
_PEOPLE = st.sampled_from([letter * 16 for letter in (b"v", b"w", b"x", b"y", b"z", b"\0")])

_SCHEMA = pa.schema(
    [
        ("person", pa.binary(16)),
        ("alias", pa.binary(16)),
        ("day", pa.date32()),
        ("code", pa.string()),
        ("number", pa.int64()),
    ]
)
_ROW = st.fixed_dictionaries(
    {
        "person": st.none() | _PEOPLE,
        "alias": st.none() | _PEOPLE,
        "day": st.none() | _DAYS,
        "code": st.none() | _CODES,
        "number": st.none() | _NUMBERS,
    }
)
_FILES = st.lists(st.lists(_ROW, max_size=8), max_size=2)


_REGISTER = "people who object"


def _ordered(values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, Any]]:
    return st.tuples(values, values)


_CONDITIONS: st.SearchStrategy[Condition] = st.one_of(
    _ordered(_DAYS).map(lambda pair: Between("day", *pair)),
    _ordered(_NUMBERS).map(lambda pair: Between("number", *pair)),
    _ordered(_CODES).map(lambda pair: Between("code", *pair)),
    st.lists(_CODES, min_size=1).map(lambda codes: OneOf("code", tuple(codes))),
    st.lists(_NUMBERS, min_size=1).map(lambda numbers: OneOf("number", tuple(numbers))),
)


@st.composite
def _plans(draw: st.DrawFn) -> Plan:
    parts: list[TablePlan] = []
    follows: list[Follow]
    for name in ("T0", "T 1", 'T"2')[: draw(st.integers(1, 3))]:
        follows = []
        if draw(st.booleans()) and parts:
            columns = draw(st.lists(st.sampled_from(_SCHEMA.names), min_size=1, unique=True))
            followed = parts[draw(st.integers(0, len(parts) - 1))].table
            follows = [Follow(followed, tuple(columns), tuple(columns))]
        kept = draw(st.lists(st.sampled_from(_SCHEMA.names), unique=True))
        conditions = draw(st.lists(_CONDITIONS, max_size=2))
        parts.append(
            TablePlan(
                table=name,
                columns=tuple(kept),
                conditions=tuple(conditions),
                follows=tuple(follows),
                names=("person", "alias", "never delivered"),
            )
        )
    ties = tuple(
        Tie(part.table, ("person", "alias", "never delivered"))
        for part in parts
        if draw(st.booleans())
    )
    objecting = Oppositions(_REGISTER, "person", ties) if draw(st.booleans()) else None
    if objecting is None:
        parts = [replace(part, names=()) for part in parts]
    return Plan(tuple(parts), objecting)


def _worked_out(
    engine: Engine, plan: Plan, sources: Mapping[str, list[SourceFile]]
) -> dict[str, Counter[str]]:
    results = engine.run(plan, sources=sources)
    return {
        name: Counter(repr(list(row.values())) for row in pa.table(stream).to_pylist())
        for name, stream in results.items()
    }


def _sealed(folder: str, tables: Sequence[pa.Table]) -> list[SourceFile]:
    """Write each table to a sealed file with a key of its own."""
    sources = []
    for table in tables:
        number = len(list(Path(folder).iterdir()))
        path, key = Path(folder) / str(number), bytes([number]) * 32
        path.write_bytes(b"".join(ParquetTables().write(table, key=key)))
        sources.append(SourceFile(str(path), key))
    return sources


_THOROUGH = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


@_THOROUGH
@given(plan=_plans(), files=st.lists(_FILES, min_size=4, max_size=4))
def test_two_engines_keep_the_same_rows(plan: Plan, files: list[list[list[Any]]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        sources = {
            name: _sealed(folder, [pa.Table.from_pylist(rows, schema=_SCHEMA) for rows in tables])
            for name, tables in zip(sorted(plan.tables_read), files, strict=False)
        }

        assert _worked_out(DuckDbEngine(), plan, sources) == _worked_out(
            ReferenceEngine(), plan, sources
        )


# Many rows about few people, so that numbers are tied in chains.
_NUMBER = st.sampled_from([None, *(bytes([letter]) * 16 for letter in b"abcdefgh")])
_PAIRS = st.lists(st.tuples(_NUMBER, _NUMBER), min_size=3, max_size=12)


def _numbered(rows: list[tuple[bytes | None, bytes | None]]) -> pa.Table:
    return pa.table(
        {
            "person": pa.array([first for first, _ in rows], pa.binary(16)),
            "alias": pa.array([second for _, second in rows], pa.binary(16)),
        }
    )


@_THOROUGH
@given(listed=st.lists(_NUMBER, min_size=1, max_size=2), tied=_PAIRS, care=_PAIRS)
def test_two_engines_leave_out_the_same_people_by_whatever_number(
    listed: list[bytes | None],
    tied: list[tuple[bytes | None, bytes | None]],
    care: list[tuple[bytes | None, bytes | None]],
) -> None:
    columns = ("person", "alias")
    parts = tuple(TablePlan(table=name, columns=columns, names=columns) for name in ("T", "C"))
    plan = Plan(parts, Oppositions(_REGISTER, "person", (Tie("T", columns),)))
    drawn: dict[str, list[tuple[bytes | None, bytes | None]]]
    drawn = {"T": tied, "C": care, _REGISTER: [(number, None) for number in listed]}
    with tempfile.TemporaryDirectory() as folder:
        sources = {name: _sealed(folder, [_numbered(rows)]) for name, rows in drawn.items()}

        assert _worked_out(DuckDbEngine(), plan, sources) == _worked_out(
            ReferenceEngine(), plan, sources
        )
