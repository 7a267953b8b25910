"""Files put together hold the same rows, in the order that was asked for, whatever the rows are."""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from havre.adapters.tables.merging import ArrowMerger
from havre.ports.merging import NO_ROWS, RowPart, RowSum
from havre.values import TableStream

KEY = bytes(range(32))
SCHEMA = pa.schema(
    [
        ("DAY", pa.date32()),
        ("PERSON", pa.binary(16)),
        ("CODE", pa.string()),
        ("PAID", pa.decimal128(10, 2)),
    ]
)
Row = tuple[date | None, bytes | None, str | None, int | None]

rows = st.tuples(
    st.none() | st.dates(date(2021, 1, 1), date(2021, 1, 9)),
    st.none() | st.sampled_from([bytes([n]) * 16 for n in range(5)]),
    st.none() | st.text(max_size=3),
    st.none() | st.integers(-99, 99),
)
orders = st.permutations(["DAY", "PERSON", "CODE", "PAID", "NOT THERE"]).flatmap(
    lambda names: st.integers(0, len(names)).map(lambda count: names[:count])
)


def table(cells: Sequence[Row]) -> pa.Table:
    columns = list(zip(*cells, strict=True)) or [()] * len(SCHEMA)
    spelled = [*columns[:3], [None if cell is None else Decimal(cell) for cell in columns[3]]]
    arrays = [pa.array(column, field.type) for column, field in zip(spelled, SCHEMA, strict=True)]
    return pa.table(arrays, schema=SCHEMA)


def part(cells: Sequence[Row]) -> RowPart:
    @contextmanager
    def opening() -> Iterator[TableStream]:
        yield table(cells)

    return RowPart(len(cells), opening)


def naive_key(row: dict[str, Any], order: Sequence[str]) -> list[Any]:
    least = {"DAY": date(1, 1, 1), "PERSON": b"", "CODE": ""}
    return [least[name] if row[name] is None else row[name] for name in order if name in least]


def utf8(key: list[Any]) -> list[Any]:
    return [cell.encode() if isinstance(cell, str) else cell for cell in key]


@settings(deadline=None)
@given(st.lists(st.lists(rows, max_size=12), max_size=4), orders, st.integers(1, 9))
def test_what_is_put_together_is_sorted_and_the_same_rows(
    files: list[list[Row]], order: list[str], target: int
) -> None:
    parts = [part(cells) for cells in files]

    surveyed = ArrowMerger(target_rows=target).survey(parts, order=order, key=KEY)

    merged = [pa.table(each) for group in surveyed for each in group]
    came = [row for cells in files for row in table(cells).to_pylist()]
    went = [row for each in merged for row in each.to_pylist()]
    assert Counter(map(repr, went)) == Counter(map(repr, came))
    keys = [utf8(naive_key(row, order)) for row in went]
    assert keys == sorted(keys)
    assert all(each.num_rows for each in merged)
    assert sum((group.read for group in surveyed), NO_ROWS) == ArrowMerger().row_sum(
        pa.concat_tables(map(table, [[], *files])), key=KEY
    )


@settings(deadline=None)
@given(st.lists(rows, min_size=1, max_size=20), st.randoms())
def test_a_sum_does_not_see_the_order_and_sees_every_cell(cells: list[Row], random: Any) -> None:
    merger = ArrowMerger()
    whole = merger.row_sum(table(cells), key=KEY)
    mixed = random.sample(cells, len(cells))
    place, column = random.randrange(len(cells)), random.randrange(4)
    other = list(cells[place])
    other[column] = [date(2020, 1, 1), b"\xff" * 16, "other", 100][column]

    assert merger.row_sum(table(mixed), key=KEY) == whole
    assert merger.row_sum(table([*cells[:place], *cells[place + 1 :]]), key=KEY) != whole
    changed = [*cells[:place], tuple(other), *cells[place + 1 :]]
    assert merger.row_sum(table(changed), key=KEY).total != whole.total


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("a", None), (None, "a")),
        (("", "a"), (None, "a")),
        (("1:a", "b"), ("1", "a1:b")),
        (("-", ""), ("", "-")),
    ],
)
def test_where_a_cell_ends_and_whether_it_is_there_counts(
    one: tuple[str | None, ...], other: tuple[str | None, ...]
) -> None:
    sums = [
        ArrowMerger().row_sum(
            pa.table({"a": [row[0]], "b": pa.array([row[1]], pa.string())}), key=KEY
        )
        for row in (one, other)
    ]

    assert sums[0] != sums[1]


def test_two_sums_under_two_keys_say_nothing_of_each_other() -> None:
    rows_ = table([(date(2021, 1, 1), None, "a", 1)])

    assert ArrowMerger().row_sum(rows_, key=KEY) != ArrowMerger().row_sum(rows_, key=bytes(32))


def test_parts_of_another_shape_are_put_together_apart() -> None:
    wide = table([(None, None, "a", 1)])

    @contextmanager
    def narrow() -> Iterator[TableStream]:
        yield wide.select(["DAY", "CODE"])

    surveyed = ArrowMerger().survey(
        [part([(None, None, "a", 1)]), RowPart(1, narrow)], order=["DAY"], key=KEY
    )

    assert [group.parts for group in surveyed] == [[0], [1]]
    assert [group.read.rows for group in surveyed] == [1, 1]


def test_files_of_the_result_have_about_the_rows_that_they_should() -> None:
    days = [date(2021, 1, 1 + n % 28) for n in range(30_000)]
    cells: list[Row] = [(day, n.to_bytes(16), "x", n) for n, day in enumerate(days)]
    parts = [part(cells[:20_000]), part(cells[20_000:])]

    (group,) = ArrowMerger(target_rows=10_000).survey(parts, order=["DAY", "PERSON"], key=KEY)

    sizes = [pa.table(each).num_rows for each in group]
    assert len(sizes) == 3
    assert all(9_000 < size < 11_000 for size in sizes)


def test_one_sum_is_the_one_that_it_was() -> None:
    """A vector: the sum of two rows, worked out with `hmac` alone."""
    texts = [b"10:2021-01-01-1:a4:1.00", b"-2:ff0:-"]
    totals = [hmac.new(KEY.hex().encode(), text, hashlib.sha256).digest() for text in texts]
    expected = sum(int.from_bytes(each[:16]) for each in totals) % 2**128
    schema = pa.schema(
        [("d", pa.date32()), ("b", pa.binary()), ("s", pa.string()), ("m", pa.decimal128(9, 2))]
    )
    given_ = pa.table(
        {
            "d": [date(2021, 1, 1), None],
            "b": [None, b"\xff"],
            "s": ["a", ""],
            "m": [Decimal(1), None],
        },
        schema=schema,
    )

    assert ArrowMerger().row_sum(given_, key=KEY) == RowSum(2, expected)
