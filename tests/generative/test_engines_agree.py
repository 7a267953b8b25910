"""Whatever the tables and the plan, DuckDB keeps the rows that the loops keep."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from havre.adapters.engines.duckdb import DuckDbEngine
from havre.adapters.engines.reference import ReferenceEngine
from havre.adapters.tables.parquet import ParquetTables
from havre.domain.plan import Between, Condition, Follow, OneOf, Plan, TablePlan
from havre.ports.engine import Engine, SourceFile

# Few values of each kind, so that rows meet.
_DAYS = st.dates(date(2021, 1, 1), date(2021, 1, 4))
_CODES = st.sampled_from(["", "a", "A", "é", "a'b"])
_NUMBERS = st.integers(-2, 2)
_PEOPLE = st.sampled_from([b"x" * 16, b"y" * 16, b"\0" * 16])

_SCHEMA = pa.schema(
    [
        ("person", pa.binary(16)),
        ("day", pa.date32()),
        ("code", pa.string()),
        ("number", pa.int64()),
    ]
)
_ROW = st.fixed_dictionaries(
    {
        "person": st.none() | _PEOPLE,
        "day": st.none() | _DAYS,
        "code": st.none() | _CODES,
        "number": st.none() | _NUMBERS,
    }
)
_FILES = st.lists(st.lists(_ROW, max_size=8), max_size=2)


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
            )
        )
    return Plan(tuple(parts))


def _worked_out(
    engine: Engine, plan: Plan, sources: Mapping[str, list[SourceFile]]
) -> dict[str, Counter[str]]:
    results = engine.run(plan, sources=sources)
    return {
        name: Counter(repr(list(row.values())) for row in pa.table(stream).to_pylist())
        for name, stream in results.items()
    }


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
@given(plan=_plans(), files=st.lists(_FILES, min_size=3, max_size=3))
def test_two_engines_keep_the_same_rows(plan: Plan, files: list[list[list[Any]]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        sources: dict[str, list[SourceFile]] = {}
        for part, tables in zip(plan.tables, files, strict=False):
            sources[part.table] = []
            for rows in tables:
                number = len(list(Path(folder).iterdir()))
                path, key = Path(folder) / str(number), bytes([number]) * 32
                table = pa.Table.from_pylist(rows, schema=_SCHEMA)
                path.write_bytes(b"".join(ParquetTables().write(table, key=key)))
                sources[part.table].append(SourceFile(str(path), key))

        assert _worked_out(DuckDbEngine(), plan, sources) == _worked_out(
            ReferenceEngine(), plan, sources
        )
