"""What changed between two deliveries, against a reference that looks at every row."""

from __future__ import annotations

from collections import Counter
from typing import TypeAlias

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from havre.adapters.sources.counting import ColumnCounter
from havre.domain.change_report import RowChanges
from havre.domain.contract import Level, Rule, RuleKind
from havre.domain.contract_judgement import Counted
from havre.domain.schema import Column, TableSchema

Row: TypeAlias = tuple[int, str | None, str | None]
CELLS = st.one_of(st.none(), st.sampled_from(["a", "b", ""]))
ROWS = st.lists(st.tuples(st.integers(0, 6), CELLS, CELLS), max_size=12)
SCHEMA = TableSchema(
    name="T", dataset="d", columns=(Column(name="k"), Column(name="x"), Column(name="y"))
)


def table(rows: list[Row], *, batch: int = 5) -> pa.Table:
    kinds = pa.schema([("k", pa.int64()), ("x", pa.string()), ("y", pa.string())])
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    whole = pa.Table.from_arrays(list(map(pa.array, columns, kinds.types)), schema=kinds)
    # As rows come from a check: what repeats is encoded, each batch by a dictionary of its own.
    encoded = [
        pa.RecordBatch.from_arrays(
            [each["k"], each["x"].dictionary_encode(), each["y"].dictionary_encode()],
            names=["k", "x", "y"],
        )
        for each in whole.to_batches(max_chunksize=batch)
    ]
    coded = pa.dictionary(pa.int32(), pa.string())
    return pa.Table.from_batches(
        encoded, schema=pa.schema([("k", pa.int64()), ("x", coded), ("y", coded)])
    )


@settings(deadline=None)
@given(ROWS, ROWS)
def test_whole_rows_are_compared_as_a_multiset(old: list[Row], new: list[Row]) -> None:
    before, after = Counter(old), Counter(new)
    kept = sum((before & after).values())

    found = ColumnCounter().compare(table(old), table(new), key=())

    assert found == RowChanges(
        sum((after - before).values()), sum((before - after).values()), 0, kept
    )


@settings(deadline=None)
@given(ROWS, ROWS)
def test_rows_with_a_key_are_compared_by_it(old: list[Row], new: list[Row]) -> None:
    before, after = ({(row[0], row[1]): row for row in rows} for rows in (old, new))
    both = before.keys() & after.keys()
    unchanged = sum(before[key] == after[key] for key in both)

    found = ColumnCounter().compare(
        table(list(before.values())), table(list(after.values())), key=("k", "x")
    )

    assert found == RowChanges(
        len(after.keys() - both), len(before.keys() - both), len(both) - unchanged, unchanged
    )


@settings(deadline=None)
@given(ROWS)
def test_what_a_rule_counts_is_what_a_look_at_every_cell_finds(rows: list[Row]) -> None:
    rules = [
        Rule(name="e", level=Level.MUST, kind=RuleKind.EMPTY, table="T", column="x", at_most=1),
        Rule(
            name="v",
            level=Level.MUST,
            kind=RuleKind.VALUES,
            table="T",
            column="y",
            at_least=1,
            values=("a", ""),
        ),
    ]
    whole = table(rows, batch=3)

    tally = ColumnCounter().tally(rules, schema=SCHEMA, covers=None)
    for batch in whole.to_batches():
        tally.add(batch)

    filled = [row[2] for row in rows if row[2] is not None]
    assert tally.counted == {
        "e": Counted(len(rows), sum(row[1] is None for row in rows)),
        "v": Counted(len(filled), sum(cell in ("a", "") for cell in filled)),
    }
