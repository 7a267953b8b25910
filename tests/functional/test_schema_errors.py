"""The known errors of the public schema of the SNDS, one by one: what our layer does about each.

The numbers are those of the audit that the correction layer rests on. ANSWERS is
read by people: an error without an entry in it fails, and one that is no error
for us says why.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from itertools import chain

import pytest

from fakes.public_data import SCHEMAS, needs_public_data
from havre.bootstrap.schemas import SNDS_LAYER
from havre.domain.catalogue import BuiltTable, Layer, build_table
from havre.domain.headers import read_header
from havre.domain.schema import Column, ColumnType
from havre.formats.table_schema import TableDescriptor, parse_table_schema
from havre.snds.corrections import CORRECTIONS, Correction

pytestmark = needs_public_data

ANSWERS = {
    1: "ETA_NUM and RSA_NUM are texts everywhere; a FINESS number has its form",
    2: "a return code is one character, 0 to 9",
    3: "GRG_RET and GRC_RET are three figures",
    4: "no error for us: no reference is enforced, and the marks of nobody become empty",
    5: "no error for us: 32 of 197 references are read and none is enforced; links are our own",
    6: "the key of a table is its grain, or none where several rows share the published one",
    7: "a text has the greatest length that is published for its name, or none",
    8: "no error for us: a length of storage limits no amount, whatever is published",
    9: "the day of care is a day, its month a month, in every table",
    10: "a name has one type over all tables",
    11: "what has a code list, or is a code by its name, is a text",
    12: "a column that is published for some years may lack in a header, and the entry is named",
    13: "names are in capitals; stays of psychiatry follow their stay and not an invoice",
    14: "no error for us yet: tables that are missing come from a folder of their holder's",
}


@cache
def descriptors() -> dict[str, TableDescriptor]:
    read = [parse_table_schema(json.loads(path.read_bytes())) for path in SCHEMAS.rglob("*.json")]
    return {each.name: each for each in read}


@cache
def built() -> dict[str, BuiltTable]:
    return {
        name: build_table(each, layer=SNDS_LAYER) for name, each in sorted(descriptors().items())
    }


def columns(*names: str) -> Iterator[Column]:
    for table in built().values():
        yield from (each for each in table.schema.columns if not names or each.name in names)


def column(table: str, name: str) -> Column:
    return built()[table].schema.column(name)


def test_every_number_is_answered_by_an_entry_or_by_a_reason() -> None:
    numbers = {each.defect.partition("-")[0] for each in CORRECTIONS}
    without = {number for number, answer in ANSWERS.items() if answer.startswith("no error")}

    assert {int(each) for each in numbers if each.isdigit()} == ANSWERS.keys() - without


def test_1_establishments_and_stays_are_texts() -> None:
    kinds = {each.type for each in columns("ETA_NUM", "ETA_NUM_EPMSI", "RSA_NUM")}

    assert kinds == {ColumnType.STRING}
    assert column("T_MCOaaB", "ETA_NUM").pattern == "[0-9][0-9AB][0-9]{7}"


def test_2_and_3_return_codes_are_characters() -> None:
    published = [
        (table.name, each.name)
        for table in descriptors().values()
        for each in table.fields
        if each.type == "boolean"
    ]

    assert len(published) == 117
    for table, name in published:
        read = column(table, name.upper())
        grouping = name in {"GRG_RET", "GRC_RET"}
        assert (read.type, read.pattern) == (
            ColumnType.STRING,
            "[0-9]{3}" if grouping else "[0-9]",
        )


def test_4_and_5_references_are_read_and_the_soft_ones_counted() -> None:
    keys = list(chain.from_iterable(each.foreign_keys for each in descriptors().values()))
    soft = [each for each in keys if set(each.theirs) != set(descriptors()[each.table].primary_key)]
    persons = [each for each in soft if each.own == ("NIR_ANO_17",)]

    assert (len(keys), len(soft), len(persons)) == (197, 32, 6)
    assert {each.theirs for each in persons} == {("BEN_NIR_PSA",)}
    # A stay without a person, or with a twin's, is a stay.
    assert not column("T_MCOaaC", "NIR_ANO_17").required


def test_6_keys_are_of_the_grain() -> None:
    keys = {name: built()[name].schema.primary_key for name in ("T_HADaaB", "T_SSRaaB")}

    assert keys == {
        "T_HADaaB": ("HAD_ANN", "ETA_NUM_EPMSI", "RHAD_NUM", "SEQ_NUM", "SSEQ_NUM"),
        "T_SSRaaB": ("SSR_ANN", "ETA_NUM", "RHA_NUM", "RHS_NUM"),
    }
    assert built()["T_MCOaaFBSTC"].schema.primary_key == ()
    assert built()["T_SSRaaFBSTC"].schema.primary_key == ()


def test_7_a_text_has_one_length_by_name() -> None:
    lengths = defaultdict(set)
    for each in columns():
        if each.type is ColumnType.STRING:
            lengths[each.name].add(each.length)

    assert {name for name, found in lengths.items() if len(found) > 1} == set()
    assert lengths["PFS_EXE_NUM"] == lengths["PFS_PRE_NUM"] == lengths["PRS_MTT_NUM"] == {9}
    assert lengths["BEN_IDT_ANO"] == {18}
    assert lengths["SEQ_NUM"] == {8}


def test_8_amounts_have_no_length() -> None:
    assert {each.length for each in columns() if each.type is ColumnType.DECIMAL} == {None}


def test_9_care_has_days_and_months() -> None:
    days, months = columns("EXE_SOI_DTD", "EXE_SOI_DTF"), columns("EXE_SOI_AMD", "EXE_SOI_AMF")

    assert {each.type for each in days} == {ColumnType.DATE}
    assert {each.type for each in months} == {ColumnType.YEARMONTH}


def test_10_a_name_has_one_type() -> None:
    published, ours = defaultdict(set), defaultdict(set)
    for table in descriptors().values():
        for each in table.fields:
            published[each.name].add(each.type)
    for name in columns():
        ours[name.name].add(name.type)

    assert sum(len(kinds) > 1 for kinds in published.values()) == 61
    assert {name for name, kinds in ours.items() if len(kinds) > 1} == set()


def test_11_codes_keep_their_zeros() -> None:
    codes = ("PHA_PRS_C13", "PHA_PRS_IDE", "TIP_PRS_IDE", "PRS_NAT_REF", "PSE_SPE_COD")

    assert {each.type for each in columns(*codes, "BIO_PRS_IDE")} == {ColumnType.STRING}


def test_12_a_column_of_some_years_may_lack_and_is_named() -> None:
    fields = list(chain.from_iterable(each.fields for each in descriptors().values()))
    gone = [each for each in fields if each.deleted is not None]
    never = [each for each in gone if (each.created or 0) >= (each.deleted or 0)]
    table = built()["T_MCOaaB"]
    lacking = {name for name, entry in table.may_lack.items() if entry == "12-years"}
    header = [name for name in table.schema.column_names if name not in lacking]

    reading = read_header(header, table=table)

    assert (len(gone), len(never)) == (440, 89)
    assert sum(len(each.may_lack) for each in built().values()) == 883
    assert set(reading.notes) == {f"column {name} lacks: 12-years" for name in lacking}
    assert not lacking & {*table.schema.primary_key, table.schema.year_column}


def test_13_names_are_in_capitals_and_meet() -> None:
    for table in built().values():
        names = table.schema.column_names
        assert list(names) == [name.upper() for name in names]
        assert len(set(names)) == len(names)
    link = built()["T_RIPaaCCAM"].schema.link

    assert link is not None
    assert link.table == "T_RIPaaC"


def test_14_what_is_missing_is_not_made_up() -> None:
    assert not built().keys() & {"IR_ESM_R", "IR_VAC_F"}
    assert len(built()) == 188


@pytest.mark.parametrize("entry", CORRECTIONS, ids=[each.defect for each in CORRECTIONS])
def test_every_entry_still_mends_something_that_is_published(entry: Correction) -> None:
    """One that mends nothing any more says that the published file was mended: take it out then."""
    rest = tuple(each for each in CORRECTIONS if each is not entry)

    assert does_something((entry,), ()) or does_something(CORRECTIONS, rest)


def does_something(these: tuple[Correction, ...], those: tuple[Correction, ...]) -> bool:
    return any(
        mended(build_table(each, layer=Layer(these)))
        != mended(build_table(each, layer=Layer(those)))
        for each in descriptors().values()
    )


def mended(built: BuiltTable) -> tuple[object, ...]:
    return built.schema, dict(built.may_lack), dict(built.may_have)


@pytest.mark.parametrize("number", ANSWERS)
def test_every_number_has_a_test(number: int) -> None:
    assert any(str(number) in name.split("_") for name in globals() if name.startswith("test_"))
