"""The naive engine: loops over dicts, nothing clever, read to be believed.

Other engines are compared with it on drawn tables and plans. It keeps every
row in memory and is for tests and small tables only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe

from havre.domain.plan import Between, Condition, Follow, OneOf, Oppositions, Plan, TablePlan
from havre.errors import InvalidInput, NotGenuine
from havre.ports.engine import SourceFile
from havre.values import TableStream

Row = dict[str, Any]


class ReferenceEngine:
    """`ports.engine.Engine`, one row at a time."""

    def run(
        self, plan: Plan, *, sources: Mapping[str, Sequence[SourceFile]]
    ) -> Mapping[str, TableStream]:
        """Work out the tables in the plan's order, all in memory."""
        kept: dict[str, list[Row]] = {}
        objecting = _objecting(plan.oppositions, sources) if plan.oppositions else set()
        results: dict[str, TableStream] = {}
        for part in plan.tables:
            files = sources[part.table]
            if not files:
                kept[part.table] = []
                continue
            table = pa.concat_tables(map(_read, files), promote_options="permissive")
            if missing := sorted(plan.columns_read(part.table) - set(table.column_names)):
                raise InvalidInput(f"No file of {part.table} has: {', '.join(missing)}.")
            for condition in part.conditions:
                _check_type(table.schema.field(condition.column).type, condition)
            kept[part.table] = [
                row
                for row in table.to_pylist()
                if _is_kept(row, part, kept) and not _names_any(row, part, objecting)
            ]
            if part.columns:
                schema = pa.schema([table.schema.field(name) for name in part.columns])
                results[part.table] = pa.Table.from_pylist(kept[part.table], schema=schema)
        return results


def _is_kept(row: Row, part: TablePlan, kept: Mapping[str, list[Row]]) -> bool:
    return all(_passes(row, condition) for condition in part.conditions) and all(
        _matches(row, follow, kept) for follow in part.follows
    )


def _names_any(row: Row, part: TablePlan, numbers: set[bytes]) -> bool:
    return any(row.get(name) in numbers for name in part.names)


def _objecting(oppositions: Oppositions, sources: Mapping[str, Sequence[SourceFile]]) -> set[bytes]:
    """Every number of everybody who objects: round after round, until no row ties a new one."""
    found = {
        row[oppositions.column]
        for file in sources[oppositions.register]
        for row in _read(file).to_pylist()
    } - {None}
    rows = [
        {row.get(name) for name in tie.columns} - {None}
        for tie in oppositions.ties
        for file in sources[tie.table]
        for row in _read(file).to_pylist()
    ]
    while new := {number for row in rows if row & found for number in row} - found:
        found |= new
    return found


def _read(file: SourceFile) -> pa.Table:
    try:
        with pa.OSFile(file.path) as opened:
            keys = pe.create_decryption_properties(file.key)
            return pq.read_table(opened, decryption_properties=keys)
    except (OSError, pa.ArrowException):
        raise NotGenuine("A table file does not open.") from None


def _check_type(kind: pa.DataType, condition: Condition) -> None:
    cell = condition.values[0] if isinstance(condition, OneOf) else condition.low
    fits = {
        str: pa.types.is_string(kind),
        int: pa.types.is_integer(kind),
        date: pa.types.is_date(kind) or pa.types.is_timestamp(kind),
    }
    if not fits[type(cell)]:
        raise InvalidInput(f"The condition on {condition.column} has another type than the column.")


def _passes(row: Row, condition: Condition) -> bool:
    cell = row[condition.column]
    if cell is None:
        return False
    match condition:
        case OneOf():
            return cell in condition.values
        case Between():
            if isinstance(cell, datetime):
                cell = cell.date()
            low: Any = condition.low
            return bool(low <= cell <= condition.high)


def _matches(row: Row, follow: Follow, kept: Mapping[str, list[Row]]) -> bool:
    cells = [row[name] for name in follow.own]
    return None not in cells and any(
        [other[name] for name in follow.theirs] == cells for other in kept[follow.table]
    )
