"""Counting and comparing rows, a batch at a time: `ports.counting.RowCounter`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from havre.domain.change_report import RowChanges
from havre.domain.contract import Rule, RuleKind
from havre.domain.contract_judgement import Counted
from havre.domain.delivery import Span
from havre.domain.schema import TableSchema
from havre.errors import Refused
from havre.ports.counting import MOST_COMPARED
from havre.values import TableStream

# Any will do; both sides of a comparison have the same.
_KEY_SEED, _ROW_SEED = 1, 2


class ColumnCounter:
    """Counts with Arrow, compares with Polars."""

    def tally(
        self, rules: Sequence[Rule], *, schema: TableSchema, covers: Span | None
    ) -> ColumnTally:
        """Count for these rules."""
        values = {
            rule.name: pa.array(rule.values or schema.column(rule.column or "").values, pa.string())
            for rule in rules
            if rule.kind is RuleKind.VALUES
        }
        return ColumnTally(rules, values=values, covers=covers)

    def compare(self, before: TableStream, after: TableStream, *, key: Sequence[str]) -> RowChanges:
        """Compare by hashes: of the key, and of the whole row."""
        old = _hashed(before, key, most=MOST_COMPARED)
        new = _hashed(after, key, most=MOST_COMPARED - len(old))
        return _by_key(old, new) if key else _by_row(old, new)


class ColumnTally:
    """`ports.counting.RuleTally`."""

    def __init__(
        self, rules: Sequence[Rule], *, values: Mapping[str, Any], covers: Span | None
    ) -> None:
        self._rules = rules
        self._values = values
        self._covers = covers
        self.counted: dict[str, Counted] = {rule.name: Counted(0, 0) for rule in rules}

    def add(self, batch: pa.RecordBatch) -> None:
        """Count a batch."""
        for rule in self._rules:
            was, now = self.counted[rule.name], self._count(rule, _plain(batch[rule.column]))
            self.counted[rule.name] = Counted(was.rows + now.rows, was.hits + now.hits)

    def _count(self, rule: Rule, column: Any) -> Counted:
        filled = len(column) - column.null_count
        if rule.kind is RuleKind.EMPTY:
            return Counted(len(column), column.null_count)
        if rule.kind is RuleKind.VALUES:
            hits = pc.is_in(column, value_set=self._values[rule.name])
            return Counted(filled, _true(pc.and_(hits, pc.is_valid(column))))
        if self._covers is None:
            return Counted(filled, 0)
        days = pc.cast(column, pa.date32())
        first, last = (
            pa.scalar(day, pa.date32()) for day in (self._covers.first_day, self._covers.last_day)
        )
        within = pc.and_(pc.greater_equal(days, first), pc.less_equal(days, last))
        return Counted(filled, _true(within))


def _plain(column: Any) -> Any:
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _true(mask: Any) -> int:
    return int(pc.sum(mask).as_py() or 0)


def _hashed(rows: TableStream, key: Sequence[str], *, most: int) -> pl.DataFrame:
    """Hash each row, and its key: 16 bytes a row."""
    parts = [pl.DataFrame(schema={"key": pl.UInt64, "row": pl.UInt64})]
    held = 0
    for batch in pa.RecordBatchReader.from_stream(rows):
        held += batch.num_rows
        if held > most:
            raise Refused(
                f"The two deliveries have more than {MOST_COMPARED:,} rows of one table: too many"
                " to be compared."
            )
        # A code of a dictionary is another one in the next batch: what is hashed are values.
        cells = pl.DataFrame({name: _plain(batch[name]) for name in batch.schema.names})
        row = cells.hash_rows(seed=_ROW_SEED).alias("row")
        keys = cells.select(key).hash_rows(seed=_KEY_SEED).alias("key") if key else row
        parts.append(pl.DataFrame([keys.alias("key"), row]))
    return pl.concat(parts)


def _by_key(old: pl.DataFrame, new: pl.DataFrame) -> RowChanges:
    both = old.join(new, on="key")
    unchanged = int((both["row"] == both["row_right"]).sum())
    return RowChanges(len(new) - len(both), len(old) - len(both), len(both) - unchanged, unchanged)


def _by_row(old: pl.DataFrame, new: pl.DataFrame) -> RowChanges:
    """Rows as a multiset: one that stands twice before and once after was withdrawn once."""
    before, after = (each.group_by("row").len() for each in (old, new))
    both = before.join(after, on="row")
    unchanged = int(both.select(pl.min_horizontal("len", "len_right").sum()).item() or 0)
    return RowChanges(len(new) - unchanged, len(old) - unchanged, 0, unchanged)
