"""A table of the SNDS has other columns in other years, and a file is read by those of its own."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.public_data import SCHEMAS, public_data
from havre.bootstrap.schemas import SNDS_LAYER, core_tables, read_schemas
from havre.domain.catalogue import BuiltTable
from havre.domain.catalogue_text import KnownTables, encode_catalogue, parse_catalogue
from havre.domain.headers import HeaderDiffers, read_header
from havre.domain.schema import Column, ColumnType, TableSchema
from havre.domain.years import (
    compare_schemas,
    compare_years,
    is_of_year,
    name_in_year,
    read_dated_name,
    schema_of,
    year_of_constants,
)
from havre.errors import NotFound

CORE = {built.schema.name: built for built in core_tables()}
YEARS = range(2000, 2012)
COLUMNS = st.builds(
    Column,
    name=st.sampled_from(["A", "B", "C", "D"]),
    since=st.none() | st.sampled_from(YEARS),
    until=st.none() | st.sampled_from(YEARS),
    absent=st.frozensets(st.sampled_from(YEARS), max_size=3).map(
        lambda years: tuple(sorted(years))
    ),
)
TABLES = st.lists(COLUMNS, unique_by=lambda column: column.name, max_size=4).map(
    lambda columns: TableSchema(name="T", dataset="d", columns=tuple(columns))
)


def of_year(name: str, year: int) -> set[str]:
    return set(schema_of(CORE[name].schema, year).column_names)


def a_file_of(year: int, *without: str, table: str = "T_SSRaaC") -> list[str]:
    names = schema_of(CORE[table].schema, year).column_names
    return [name for name in names if name not in {"SSR_ANN", *without}]


@given(TABLES, st.sampled_from(YEARS), st.sampled_from(YEARS))
def test_two_years_differ_by_the_columns_that_one_of_them_lacks(
    table: TableSchema, first: int, second: int
) -> None:
    def naive(year: int) -> set[str]:
        return {
            column.name
            for column in table.columns
            if year not in column.absent
            and year in range(column.since or 0, (column.until or 9999) + 1)
        }

    found = compare_years(table, first, second)

    assert set(schema_of(table, first).column_names) == naive(first)
    assert set(found.added) == naive(second) - naive(first)
    assert set(found.removed) == naive(first) - naive(second)
    assert found.is_nothing == (naive(first) == naive(second))


def test_a_column_with_another_type_or_length_is_named_with_both() -> None:
    before = TableSchema(name="T", dataset="d", columns=(Column(name="A", length=2),))
    after = replace(before, columns=(Column(name="A", type=ColumnType.INTEGER),))

    assert compare_schemas(before, after).changed == {"A": (("string", 2), ("integer", None))}


@pytest.mark.parametrize(
    ("table", "year", "has", "lacks"),
    [
        # A stay has whole dates since 2009, and checks of birth and sex since 2013.
        ("T_SSRaaC", 2008, {"NIR_ANO_17"}, {"EXE_SOI_DTD", "COH_NAI_RET"}),
        ("T_SSRaaC", 2013, {"EXE_SOI_DTD", "COH_NAI_RET"}, {"SOR_ANN"}),
        # Diagnoses leave the weeks for a table of their own.
        ("T_SSRaaB", 2008, {"ASS_DGN_1"}, set()),
        ("T_SSRaaB", 2009, set(), {"ASS_DGN_1"}),
        # The invoice of an outpatient visit had the person itself, in 2007 only.
        ("T_MCOaaFASTC", 2007, {"NIR_ANO_17"}, set()),
        ("T_MCOaaFASTC", 2008, {"SEQ_NUM"}, {"NIR_ANO_17"}),
        ("T_MCOaaFASTC", 2017, {"CTR_TYP", "FIDES_TOP"}, {"COD_PEC"}),
        ("T_MCOaaUM", 2012, {"AUT_TYP1_UM"}, set()),
        # Away for two years, and back.
        ("T_HADaaB", 2011, {"DGN_PAL"}, set()),
        ("T_HADaaB", 2012, set(), {"DGN_PAL"}),
        ("T_HADaaB", 2014, {"DGN_PAL"}, set()),
    ],
)
def test_a_table_has_the_columns_of_its_year(
    table: str, year: int, has: set[str], lacks: set[str]
) -> None:
    names = of_year(table, year)

    assert (has - names, lacks & names) == (set(), set())


@pytest.mark.parametrize(("table", "year"), [("T_SSRaaCSARR", 2013), ("KI_ECD_R", 2012)])
def test_a_table_that_was_not_there_yet_has_no_columns(table: str, year: int) -> None:
    with pytest.raises(NotFound, match=f"no table {table} in {year}"):
        schema_of(CORE[table].schema, year)


@given(st.sampled_from(sorted(CORE)), st.integers(2005, 2030))
def test_a_files_name_leads_back_to_its_table_and_year(table: str, year: int) -> None:
    name = name_in_year(table, year)

    assert read_dated_name(name) == ((table, year) if name != table else (table, None))


def test_the_year_of_a_file_is_what_its_announcement_gives() -> None:
    schema = CORE["T_SSRaaC"].schema

    assert year_of_constants(schema, {"SSR_ANN": "2013"}) == 2013
    assert year_of_constants(schema, {}) is None
    assert year_of_constants(schema, {"SSR_ANN": "13"}) is None


def test_a_file_that_lacks_a_column_of_its_year_is_not_whole() -> None:
    header = a_file_of(2013, "DAT_RET")

    with pytest.raises(HeaderDiffers, match="DAT_RET is missing: files of 2013 have it"):
        read_header(header, table=CORE["T_SSRaaC"], constants=["SSR_ANN"], year=2013)


@pytest.mark.parametrize("year", [None, 2005, 2019])
def test_where_the_year_is_unknown_or_had_none_the_column_may_lack(year: int | None) -> None:
    header = a_file_of(2013, "DAT_RET")

    reading = read_header(header, table=CORE["T_SSRaaC"], constants=["SSR_ANN"], year=year)

    assert "column DAT_RET lacks: 12-years" in reading.notes


def test_a_column_of_another_year_is_named_and_goes_on() -> None:
    header = a_file_of(2013)

    reading = read_header(header, table=CORE["T_SSRaaC"], constants=["SSR_ANN"], year=2012)

    assert "column COH_NAI_RET is of other years: from 2013" in reading.notes
    assert "COH_NAI_RET" in reading.kept


def test_optional_columns_that_a_file_lacks_are_counted_and_not_named() -> None:
    table = CORE["ER_DTR_F"]
    header = [name for name in table.schema.column_names if name not in table.may_lack]

    reading = read_header(header, table=table)

    assert reading.notes == (f"{len(table.may_lack)} optional columns are not in the file",)


def test_a_catalogue_keeps_the_years_and_the_code_lists() -> None:
    known = KnownTables(tuple(sorted(CORE.values(), key=lambda each: each.schema.name)))

    assert parse_catalogue(encode_catalogue(known)) == known


@public_data
def test_every_table_with_a_history_has_the_columns_of_each_year_that_it_publishes() -> None:
    """Against the list by year that lies beside the schema; what the two say otherwise is listed."""
    tables = {built.schema.name: built for built in read_schemas(SCHEMAS, layer=SNDS_LAYER)}

    assert differences(tables) == KNOWN_DIFFERENCES


# The list by year starts in 2006, later than some tables; where it and the descriptions
# differ over a first year, the descriptions are of 2020 and it is of 2019.
KNOWN_DIFFERENCES = {
    "T_HADaaB": 1,
    "T_HADaaC": 1,
    "T_HADaaEHPA": 1,
    "T_HADaaFI": 12,
    "T_HADaaFM": 1,
    "T_HADaaFP": 1,
    "T_HADaaGRE": 1,
    "T_HADaaGRP": 1,
    "T_MCOaaPIP": 6,
    "T_MCOaaSUP_BPHNA": 8,
    "T_MCOaaSUP_BPHNC": 7,
    "T_MCOaaSUP_BPHNP": 9,
    "T_MCOaaSUP_CES": 18,
    "T_MCOaaSUP_LACT": 3,
    "T_SSRaaCCAR": 1,
    "T_SSRaaCSARR": 17,
}


def differences(tables: dict[str, BuiltTable]) -> dict[str, int]:
    from csv import DictReader

    counts: dict[str, int] = {}
    lines = (SCHEMAS.parent / "history" / "variables_history.csv").read_text("utf-8").splitlines()
    for row in DictReader(lines):
        built = tables.get(row["table"].replace("XX", "aa", 1))
        if built is None or row["var"].upper() not in built.schema.column_names:
            continue
        column = built.schema.column(row["var"].upper())
        first, last = int(row["created"]), int(row["deleted"])
        away = {int(year) for year in row["missings"].split("_") if year}
        listed = {year for year in range(first, last + 1) if year not in away}
        ours = {year for year in range(2006, last + 1) if is_of_year(column, year)}
        known = {year for year in ours if year >= (built.schema.since or year)}
        if listed != known or ((column.until or last) != last and last < 2015):
            counts[built.schema.name] = counts.get(built.schema.name, 0) + 1
    return counts
