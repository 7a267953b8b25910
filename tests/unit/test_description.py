"""What the catalogue shows of data: nothing that fewer than eleven people share, and nothing to subtract."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from datetime import date
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from havre.adapters.describing.counter import VersionCounter
from havre.domain.content import ColumnCount, Grain, LinkCount, TableCount, ValueCount
from havre.domain.description import (
    FEWEST_PEOPLE,
    DatasetDescription,
    TableDescription,
    Withheld,
    describe_table,
    join_versions,
    shown_codes,
    shown_range,
)
from havre.domain.description_text import encode_description, parse_description
from havre.domain.schema import Catalogue, Column, ColumnType, Link, TableSchema, Treatment
from havre.errors import InvalidInput

PERSON = Column(name="who", treatment=Treatment.FOREIGN_PSEUDONYM)
CODE = Column(name="code", code_list="ICD-10")
KEY = Column(name="stay", type=ColumnType.INTEGER, treatment=Treatment.TECHNICAL_KEY)
STAYS = TableSchema(
    name="STAYS",
    dataset="d",
    columns=(
        PERSON,
        KEY,
        CODE,
        Column(name="amount", type=ColumnType.DECIMAL),
        Column(name="day", type=ColumnType.DATE),
        Column(name="note"),
    ),
    person=("who",),
)
ACTS = TableSchema(
    name="ACTS", dataset="d", columns=(KEY, Column(name="act", code_list="CCAM")),
    link=Link("STAYS", ("stay",)),
)  # fmt: skip
PLACES = TableSchema(name="PLACES", dataset="d", columns=(Column(name="kind", values=("a", "b")),))
ROW = st.tuples(
    st.integers(0, 30),
    st.sampled_from(["A", "A", "A", "B", "B", "C", None]),
    st.one_of(st.none(), st.floats(-2000, 2000, allow_nan=False, width=32)),
    st.one_of(st.none(), st.dates(date(2022, 11, 1), date(2023, 3, 1)), st.just(date(1600, 1, 1))),
)


def pseudonym(person: int) -> bytes:
    """Sixteen bytes as they stand in the lake, evenly drawn."""
    return ((person + 1) * 0x9E3779B97F4A7C15 % 2**64).to_bytes(8, "little") + bytes(8)


def stays(rows: list[tuple[Any, ...]]) -> pa.Table:
    people, codes, amounts, days = zip(*rows, strict=True) if rows else ((), (), (), ())
    return pa.table(
        {
            "who": pa.array([p if p is None else pseudonym(p) for p in people], pa.binary(16)),
            "stay": pa.array(range(len(rows)), pa.int64()),
            "code": pa.array(codes, pa.string()),
            "amount": pa.array(amounts, pa.float64()),
            "day": pa.array(days, pa.date32()),
            "note": pa.array(["words"] * len(rows), pa.string()),
        }
    )


def encoded(rows: pa.Table) -> pa.Table:
    """The same rows, every column but numbers encoded anew in every batch, as an ingest has them."""
    batches = [
        pa.record_batch(
            {
                name: batch[name].dictionary_encode()
                if pa.types.is_string(batch[name].type) or pa.types.is_binary(batch[name].type)
                else batch[name]
                for name in batch.schema.names
            }
        )
        for batch in rows.to_batches(17)
    ]
    return pa.Table.from_batches(batches) if batches else rows


def count(*tables: tuple[TableSchema, pa.Table], batch_rows: int = 50) -> dict[str, TableCount]:
    """Count tables as an ingest does: streams, read once, in batches."""
    counter = VersionCounter(Catalogue((STAYS, ACTS, PLACES)))
    for schema, rows in tables:
        reader = pa.RecordBatchReader.from_batches(rows.schema, rows.to_batches(batch_rows))
        read = pa.RecordBatchReader.from_stream(counter.watch(reader, schema=schema)).read_all()
        assert read.equals(rows)
    return {each.table: each for each in counter.close()}


def describe(rows: list[tuple[Any, ...]]) -> TableDescription:
    return describe_table(count((STAYS, stays(rows)))["STAYS"], schema=STAYS)


def many(person: int, rows: int, code: str, day: date = date(2023, 1, 5)) -> list[tuple[Any, ...]]:
    return [(person, code, 10.0, day)] * rows


@given(st.lists(ROW, max_size=400), st.integers(1, 90))
@settings(max_examples=60, deadline=None)
def test_what_is_counted_is_what_a_naive_count_says(rows: list[Any], batch_rows: int) -> None:
    counted = count((STAYS, stays(rows)), batch_rows=batch_rows)["STAYS"]

    columns = {each.name: each for each in counted.columns}
    assert counted.rows == len(rows)
    assert counted.people == len({row[0] for row in rows})
    codes = Counter(row[1] for row in rows if row[1])
    assert {each.value: each.rows for each in columns["code"].values} == codes
    for each in columns["code"].values:
        sharers = {row[0] for row in rows if row[1] == each.value}
        assert each.people == min(11, len(sharers))
    months = Counter(row[3].strftime("%Y-%m") for row in rows if row[3] and row[3].year > 1900)
    assert {each.value: each.rows for each in columns["day"].values} == months
    assert columns["day"].missing == len(rows) - months.total()
    assert sum(each.rows for each in columns["amount"].values) + columns["amount"].missing == len(
        rows
    )
    assert not columns["note"].values
    assert not columns["who"].values
    full = {
        "code": [row[0] for row in rows if row[1]],
        "day": [row[0] for row in rows if row[3] and row[3].year > 1900],
    }
    holed = {
        "code": [row[0] for row in rows if not row[1]],
        "day": [row[0] for row in rows if not row[3] or row[3].year < 1900],
    }
    for name, people in full.items():
        assert columns[name].present_people == min(11, len(set(people)))
    for name, people in holed.items():
        assert columns[name].missing_people == min(11, len(set(people)))


@given(st.lists(ROW, max_size=300))
@settings(max_examples=30, deadline=None)
def test_rows_that_are_encoded_are_counted_like_others(rows: list[Any]) -> None:
    table = stays(rows)
    texts = [None if row[0] is None else pseudonym(row[0]).hex() for row in rows]
    table = table.set_column(0, "who", pa.array(texts, pa.string()))

    assert count((STAYS, encoded(table))) == count((STAYS, table))


def test_links_of_encoded_keys_lead_to_the_same_people() -> None:
    key = Column(name="stay", treatment=Treatment.TECHNICAL_KEY)
    rows = stays([(person, "A", 1.0, date(2023, 1, 1)) for person in range(300)])
    rows = rows.set_column(1, "stay", pa.array([f"s{n}" for n in range(300)]))
    acts = pa.table({"stay": [f"s{299 - n}" for n in range(300)], "act": ["A"] * 150 + ["B"] * 150})
    followed = replace(STAYS, columns=(PERSON, key, *STAYS.columns[2:]))

    counted = count(
        (followed, encoded(rows)), (replace(ACTS, columns=(key, ACTS.columns[1])), encoded(acts))
    )

    link = counted["ACTS"].link
    assert link is not None
    assert link.found == link.looked_at == 300
    assert [each.people for each in counted["ACTS"].columns[1].values] == [11, 11]


@given(st.lists(ROW, max_size=900))
@settings(max_examples=60, deadline=None)
def test_every_value_that_is_shown_is_shared_by_eleven_people(rows: list[Any]) -> None:
    shown = {each.name: each for each in describe(rows * 3).variables}

    for code in shown["code"].codes:
        assert len({row[0] for row in rows if row[1] == code.code}) >= FEWEST_PEOPLE
    for end in (shown["day"].low, shown["day"].high):
        if end is not None:
            assert (
                len({row[0] for row in rows if row[3] and row[3].strftime("%Y-%m") == end})
                >= FEWEST_PEOPLE
            )


@given(st.lists(ROW, max_size=900))
@settings(max_examples=60, deadline=None)
def test_holes_are_shown_of_eleven_people_on_both_sides_or_are_rounded_away(
    rows: list[Any],
) -> None:
    rows = rows * 3
    told = describe(rows)

    for variable, place in (("code", 1), ("amount", 2)):
        holes = {row[0] for row in rows if row[place] is None}
        cells = {row[0] for row in rows if row[place] is not None}
        missing = {each.name: each.missing for each in told.variables}[variable]
        if missing not in (None, 0, told.rows):
            assert min(len(holes), len(cells)) >= FEWEST_PEOPLE


def test_that_one_person_alone_has_cells_is_not_shown() -> None:
    rows = [row for person in range(30) for row in many(person, 20, "A")]
    rows = [(person, None, amount, day) for person, _, amount, day in rows] + many(99, 300, "A")

    shown = {each.name: each.missing for each in describe(rows).variables}

    assert shown["code"] is None
    assert shown["amount"] == 0


@given(
    st.lists(
        st.tuples(st.sampled_from(["A", "B", "C", None]), st.integers(1, 14), st.integers(1, 60)),
        min_size=1,
        max_size=6,
    )
)
@settings(max_examples=150, deadline=None)
def test_nobody_subtracts_the_shown_codes_and_finds_a_few_people(
    drawn: list[tuple[str | None, int, int]],
) -> None:
    """All rows less the shown codes and the shown holes: of nobody, of enough, or too few to see.

    One person's 400 rows without a cell were told by two codes that everybody else had.
    """
    rows = [
        (group * 100 + person, code, 1.0, date(2023, 1, 5))
        for group, (code, people, each) in enumerate(drawn)
        for person in range(people)
        for _ in range(each)
    ]
    variable = next(each for each in describe(rows).variables if each.name == "code")

    told = {each.code for each in variable.codes} | (
        {None} if variable.missing is not None else set()
    )
    left = {person for person, code, *_ in rows if code not in told}
    if variable.codes:
        assert not left or len(left) >= FEWEST_PEOPLE


def largest(rounded: int) -> int:
    return rounded + 49


def smallest(rounded: int) -> int:
    return max(0, rounded - 50)


@pytest.mark.parametrize("count_of_codes", range(1, 11))
def test_what_shown_codes_leave_over_is_never_known_to_be_few(count_of_codes: int) -> None:
    """Whoever subtracts the shown codes from the rows knows at most that it is below fifty."""
    for rest in range(-10 * count_of_codes, 10 * count_of_codes + 1):
        total, shown = 100 * (50 + rest), [100 * 50 // count_of_codes // 100 * 100] * count_of_codes
        most = largest(total) - sum(map(smallest, shown))

        assert most < 0 or most >= 49


VALUES = st.lists(
    st.tuples(st.integers(1, 600), st.integers(0, 11)).map(
        lambda pair: (max(pair), min(pair[1], max(pair)))
    ),
    max_size=16,
)


@given(VALUES)
def test_codes_held_back_are_of_nobody_or_of_enough(drawn: list[tuple[int, int]]) -> None:
    values = [ValueCount(f"c{n}", rows, people) for n, (rows, people) in enumerate(drawn)]

    shown = {each.code for each in shown_codes(values)}
    rest = [each for each in values if each.value not in shown]

    assert all(each.people >= FEWEST_PEOPLE for each in values if each.value in shown)
    assert len(shown) <= 10
    if shown and rest:
        assert max(each.people for each in rest) >= FEWEST_PEOPLE
    if len(values) == 1:
        assert not shown


@given(VALUES)
def test_a_range_leaves_one_row_in_a_hundred_outside_at_each_end(
    drawn: list[tuple[int, int]],
) -> None:
    values = [ValueCount(str(n), rows, people) for n, (rows, people) in enumerate(drawn)]

    found = shown_range(values)

    if found:
        low, high = map(int, found)
        total = sum(each.rows for each in values)
        assert low < high
        assert 100 * sum(each.rows for each in values[: low + 1]) >= total
        assert 100 * sum(each.rows for each in values[high:]) >= total
        assert values[low].people >= FEWEST_PEOPLE <= values[high].people


def test_one_person_with_a_thousand_rows_shows_no_value() -> None:
    rows = [row for person in range(30) for row in many(person, 10, "A")] + many(99, 1000, "RARE")

    shown = {each.name: each for each in describe(rows).variables}

    assert shown["code"].codes == ()
    assert shown["code"].withheld is Withheld.FEW_PEOPLE


def test_a_table_of_ten_people_shows_its_rows_and_no_value() -> None:
    told = describe([row for person in range(10) for row in many(person, 50, "A")])

    assert (told.rows, told.people) == (500, None)
    assert all(each.withheld and each.missing is None for each in told.variables)


def test_a_code_that_everybody_has_is_not_shown() -> None:
    told = describe([row for person in range(200) for row in many(person, 5, "A")])

    assert {each.name: each.codes for each in told.variables}["code"] == ()


def test_treated_columns_and_words_show_no_value() -> None:
    told = describe([(person, "A", 1.0, date(2023, 1, 1)) for person in range(500)])

    why = {each.name: each.withheld for each in told.variables}
    assert why["who"] is why["stay"] is Withheld.TREATED
    assert why["note"] is Withheld.WORDS


def test_the_people_of_a_table_that_follows_another_are_found_there() -> None:
    """Eleven acts of one patient show nothing; eleven patients do."""
    rows = stays([(person, "A", 1.0, date(2023, 1, 1)) for person in range(300)])
    acts = [(stay, "EACH", 300) for stay in range(300)] + [(7, "ONE", 400), (9, "TWO", 5)]
    table = pa.table(
        {
            "stay": pa.array(
                [stay for stay, _, n in acts for _ in range(n // 100 or n)], pa.int64()
            ),
            "act": pa.array([act for _, act, n in acts for _ in range(n // 100 or n)]),
        }
    )
    more = pa.concat_tables([table, table.set_column(1, "act", pa.array(["MORE"] * len(table)))])

    counted = count((STAYS, rows), (ACTS, more))["ACTS"]

    people = {each.value: each.people for each in counted.columns[1].values}
    assert people == {"EACH": 11, "ONE": 1, "TWO": 1, "MORE": 11}
    told = describe_table(counted, schema=ACTS)
    assert told.grain is Grain.FOLLOWING
    assert told.links_found == 1000
    # EACH would leave over the two acts of one patient each.
    assert [each.code for each in told.variables[1].codes] == ["MORE"]


def test_each_delivery_has_links_of_its_own_and_whoever_looks_beside_sees_every_row() -> None:
    class Beside:
        rows = 0

        def add(self, batch: pa.RecordBatch) -> None:
            self.rows += batch.num_rows

    counter, beside = VersionCounter(Catalogue((STAYS, ACTS))), Beside()

    def watched(schema: TableSchema, rows: pa.Table) -> LinkCount | None:
        stream = counter.watch(rows, schema=schema, beside=[beside])
        assert pa.RecordBatchReader.from_stream(stream).read_all().equals(rows)
        return stream.links

    def acts(*of: int) -> pa.Table:
        return pa.table({"stay": pa.array(of, pa.int64()), "act": ["A"] * len(of)})

    assert watched(ACTS, acts(0)) is None
    assert watched(STAYS, stays([(1, "A", 1.0, None), (2, "A", 1.0, None)])) is None
    assert watched(ACTS, acts(0, 1, 1, 2)) == LinkCount(4, 3)
    assert watched(ACTS, acts(2, 3, 1)) == LinkCount(3, 1)
    assert beside.rows == 10


def test_rows_that_follow_a_table_that_did_not_come_show_no_value() -> None:
    acts = pa.table({"stay": pa.array(range(500), pa.int64()), "act": ["A", "B"] * 250})

    told = describe_table(count((ACTS, acts))["ACTS"], schema=ACTS)

    assert told.links_found is None
    assert told.variables[1].withheld is Withheld.FEW_PEOPLE


def test_of_more_people_than_are_kept_the_number_is_about_right() -> None:
    people = 60_000
    rows = pa.table({"who": pa.array([pseudonym(n * 7) for n in range(people)], pa.binary(16))})

    counted = count((STAYS, pa.concat_tables([rows, rows])), batch_rows=20_000)["STAYS"]

    assert counted.people is not None
    assert math.isclose(counted.people, people, rel_tol=0.05)


def test_a_column_with_more_values_than_codes_have_is_not_counted() -> None:
    codes = pa.table({"kind": pa.array([f"k{n}" for n in range(60_000)])})

    counted = count((PLACES, codes), batch_rows=10_000)["PLACES"]

    assert counted.columns[0].too_many
    assert describe_table(counted, schema=PLACES).variables[0].withheld is Withheld.TOO_MANY


def version(
    rows: int, codes: dict[str, int], low: str, high: str, *, withdrawn: int = 0
) -> DatasetDescription:
    values = tuple(ValueCount(code, each, 11) for code, each in codes.items())
    days = (ValueCount(low, 500, 11), ValueCount(high, 500, 11))
    columns = (ColumnCount("code", 0, values), ColumnCount("day", 0, days))
    counted = TableCount("STAYS", rows, 400, columns)
    told = describe_table(counted, schema=STAYS, withdrawn=withdrawn)
    return DatasetDescription("d", f"{rows:032x}", (told,))


def test_versions_are_put_together_from_what_each_shows() -> None:
    first = version(1000, {"A": 600, "B": 400}, "2022-12", "2023-05")
    second = version(2000, {"A": 1500, "C": 500}, "2023-06", "2023-11")

    (told,) = join_versions([first, second])

    shown = {each.name: each for each in told.variables}
    assert (told.rows, told.people, told.people_are) == (3000, 400, "at-least")
    assert [(each.code, each.rows) for each in shown["code"].codes] == [
        ("A", 2100),
        ("C", 500),
        ("B", 400),
    ]
    assert (shown["day"].low, shown["day"].high) == ("2022-12", "2023-11")


def test_rows_that_a_correction_took_back_are_deducted() -> None:
    first = version(1000, {"A": 600, "B": 400}, "2022-12", "2023-05")
    corrected = version(1100, {"A": 700, "B": 400}, "2022-12", "2023-05", withdrawn=980)

    assert corrected.tables[0].withdrawn == 1000
    assert join_versions([first, corrected])[0].rows == 1100


def test_a_description_is_read_as_it_was_written_and_nothing_else_is() -> None:
    told = version(1000, {"A": 600, "B": 400}, "2022-12", "2023-05")

    assert parse_description(encode_description(told)) == told
    for broken in (b"{}", b'{"format":"havre/v1/description"}', b"[]"):
        with pytest.raises(InvalidInput):
            parse_description(broken)


def test_every_number_of_a_description_is_rounded() -> None:
    told = describe([(n, "AB"[n % 2], float(n), date(2023, 1 + n % 9, 1)) for n in range(737)])

    numbers = [told.rows, told.people, *(each.missing for each in told.variables)]
    numbers += [code.rows for each in told.variables for code in each.codes]
    assert set(numbers) > {700, 400}
    assert [number for number in numbers if number is not None and number % 100] == []
