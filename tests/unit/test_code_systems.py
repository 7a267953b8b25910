"""Code systems from a folder, and columns counted against them."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.public_data import SHARED, public_data
from havre.adapters.codes.folder import list_code_systems, read_code_system, read_list
from havre.adapters.codes.labels import add_labels
from havre.adapters.codes.tally import ListCounter
from havre.bootstrap.codes import code_in_full, codes_of_system
from havre.bootstrap.schemas import SNDS_LAYER, core_tables, read_schemas
from havre.domain.code_system import Code, CodeCounts, CodeState, CodeSystem
from havre.domain.code_system_text import encode_code_system, parse_code_system
from havre.errors import InvalidInput, NotFound
from havre.snds.code_lists import CODE_LISTS, Spelling

NOMENCLATURES = SHARED / "snds-schema" / "nomenclatures"
SCHEMAS_OF_TABLES = SHARED / "snds-schema" / "schemas"
SMALL_BYTES = 100_000
DAYS = st.none() | st.dates(date(2018, 1, 1), date(2018, 1, 9))
CODES = st.text("A0 1.", max_size=3)


@st.composite
def systems(draw: st.DrawFn) -> CodeSystem:
    empty = CodeSystem("T", {}, spelling=draw(st.sampled_from(Spelling)))
    listed = draw(st.lists(st.builds(Code, CODES, st.just("label"), DAYS, DAYS), max_size=5))
    return CodeSystem("T", {empty.plain(each.code): each for each in listed}, "", empty.spelling)


def naive(cells: list[str | None], days: list[date | None], system: CodeSystem) -> CodeCounts:
    states = [
        "empty" if not (cell or "").strip() else system.state_of(cell or "", on=day).value
        for cell, day in zip(cells, days, strict=True)
    ]
    return CodeCounts(
        *(states.count(state) for state in ("valid", "not-yet", "ended", "unknown", "empty"))
    )


def counted(rows: pa.Table, system: CodeSystem, *, day: str | None = None) -> CodeCounts:
    tally = ListCounter().tally({"code": system}, day=day)
    for batch in rows.to_batches(5):
        tally.add(batch)
    return tally.counts["code"]


@settings(deadline=None)
@given(systems(), st.lists(st.tuples(st.none() | CODES, DAYS), max_size=12), st.booleans())
def test_a_column_is_counted_as_its_cells_would_be_one_by_one(
    system: CodeSystem, cells: list[tuple[str | None, date | None]], is_encoded: bool
) -> None:
    codes, days = [code for code, _ in cells], [day for _, day in cells]
    texts = pa.array(codes, pa.string())
    rows = pa.table(
        {
            "code": texts.dictionary_encode() if is_encoded else texts,
            "day": pa.array(days, pa.date32()),
        }
    )

    found = counted(rows, system, day="day")

    assert found == naive(codes, days, system)
    assert found.cells == len(cells)
    assert counted(rows, system) == naive(codes, [None] * len(codes), system)


def test_numbers_are_codes_and_a_column_that_rows_lack_has_none() -> None:
    system = CodeSystem("T", {"7": Code("007")}, "", Spelling.NUMBER)
    tally = ListCounter().tally({"code": system, "gone": system}, day="code")

    tally.add(pa.record_batch({"code": pa.array([7, 7, 8, None], pa.int64())}))

    assert tally.counts == {
        "code": CodeCounts(valid=2, unknown=1, empty=1),
        "gone": CodeCounts(),
    }


@given(systems())
def test_a_list_is_kept_and_read_back_as_it_was(system: CodeSystem) -> None:
    document = encode_code_system(system)

    assert parse_code_system(document) == system
    for spoiled in (document[:-5], b"", document[1:]):
        with pytest.raises(InvalidInput):
            parse_code_system(spoiled)


def test_labels_stand_beside_their_codes_and_no_row_moves() -> None:
    system = CodeSystem(
        "T", {"9": Code("9", "Décès"), "8": Code("8", "Domicile")}, "", Spelling.NUMBER
    )
    rows = pl.DataFrame({"SOR_MOD": ["8", "9", "X", None, "09", "8"], "row": range(6)})

    labelled = add_labels(rows, "SOR_MOD", system, into="SOR_MOD_LIB")

    assert labelled["row"].to_list() == list(range(6))
    assert labelled["SOR_MOD_LIB"].to_list() == [
        "Domicile",
        "Décès",
        None,
        None,
        "Décès",
        "Domicile",
    ]
    with pytest.raises(ValueError, match="of that name"):
        add_labels(labelled, "SOR_MOD", system, into="SOR_MOD_LIB")


def write_list(folder: Path, name: str, text: str, *fields: tuple[str, str, str]) -> None:
    (folder / "some").mkdir(exist_ok=True)
    (folder / "some" / f"{name}.csv").write_text(text, encoding="utf-8")
    described = [{"name": n, "type": t, "role": r} for n, t, r in fields]
    body = {"name": name, "title": "A list", "fields": described}
    (folder / "some" / f"{name}.json").write_text(json.dumps(body), encoding="utf-8")


def test_a_list_is_read_with_its_days_and_its_numbers_without_zeros(tmp_path: Path) -> None:
    write_list(
        tmp_path,
        "IR_BIO_R",
        "BIO_PRS_IDE;BIO_INF_LIB;BIO_CRE_DAT;BIO_SUP_DAT\n"
        '215;"A; B\nC";01JAN1996:00:00:00;04SEP2014:00:00:00\n'
        ";nothing;;\n"
        "9;;;31DEC9999:00:00:00\n",
        ("BIO_PRS_IDE", "integer", "code"),
        ("BIO_INF_LIB", "string", "label"),
    )

    system = read_code_system(tmp_path, "ir_bio_r:BIO_PRS_IDE")

    assert list(system.codes.values()) == [
        Code("215", "A; B C", date(1996, 1, 1), date(2014, 9, 3)),
        Code("9", "", None, None),
    ]
    assert system.state_of("0215", on=date(2014, 9, 3)) is CodeState.VALID
    assert system.state_of("0215", on=date(2014, 9, 4)) is CodeState.ENDED
    assert [each.title for each in list_code_systems(tmp_path)] == ["A list"]


def test_a_code_with_several_rows_is_valid_from_the_first_to_the_last(tmp_path: Path) -> None:
    write_list(
        tmp_path,
        "IR_BTF_R",
        "BTF_PRS_IDE;BTF_HIS_DTD;BTF_HIS_DTF\n"
        "1;30MAR1997:00:00:00;18JAN2010:00:00:00\n"
        "1;19JAN2010:00:00:00;31DEC9999:00:00:00\n"
        "2;19JAN2010:00:00:00;10FEB2011:00:00:00\n",
        ("BTF_PRS_IDE", "integer", "code"),
    )

    system = read_code_system(tmp_path, "IR_BTF_R")

    assert system.codes["1"] == Code("1", "", date(1997, 3, 30), None)
    assert system.codes["2"] == Code("2", "", date(2010, 1, 19), date(2011, 2, 10))


def test_a_list_without_codes_is_refused_and_one_that_is_not_there_not_found(
    tmp_path: Path,
) -> None:
    with pytest.raises(NotFound, match="no list of codes"):
        list_code_systems(tmp_path)
    write_list(tmp_path, "T", "A;B\n1;2\n", ("A", "string", "label"))

    with pytest.raises(InvalidInput, match="no column of codes"):
        read_code_system(tmp_path, "T")
    with pytest.raises(NotFound, match="no code system"):
        read_code_system(tmp_path, "U")


@public_data
def test_lists_of_codes_beside_tables_are_no_tables() -> None:
    assert len(read_schemas(SCHEMAS_OF_TABLES.parent, layer=SNDS_LAYER)) == 188
    assert read_schemas(NOMENCLATURES, layer=SNDS_LAYER) == []


@public_data
def test_every_public_list_is_read() -> None:
    """But for the greatest, which would take seconds: other tests read some of them."""
    listed = list_code_systems(NOMENCLATURES)
    read = [read_list(each.path) for each in listed if each.path.stat().st_size < SMALL_BYTES]

    assert (len(listed), len(read)) == (502, 472)
    # Two of them have a first line alone.
    assert {each.name for each in read if not each.codes} == {"IR_MCN_V", "IR_PMC_V"}


@public_data
def test_every_code_list_that_a_table_names_is_in_the_folder_but_one() -> None:
    names = {each.name for each in list_code_systems(NOMENCLATURES)}
    tables = [*read_schemas(SCHEMAS_OF_TABLES, layer=SNDS_LAYER), *core_tables()]
    asked = {column.code_list for built in tables for column in built.schema.columns} - {""}

    assert asked - names == {"IR_PHA_R"}
    assert set(CODE_LISTS) - names == {"IR_PHA_R"}


@public_data
def test_a_code_is_told_with_its_label_its_state_and_what_it_refines() -> None:
    diabetes = code_in_full(NOMENCLATURES, "MS_CIM_V", "e11.3", on=None)
    act = code_in_full(NOMENCLATURES, "IR_BIO_R", "9998", on=None)

    assert diabetes["state"] == "valid"
    assert [each.partition(" ")[0] for each in diabetes["refines"]] == ["E11"]
    assert (act["state"], act["has_the_form"]) == ("unknown", True)
    assert {
        row["code"][:3] for row in codes_of_system(NOMENCLATURES, "MS_CIM_V", prefix="E11", on=None)
    } == {"E11"}
