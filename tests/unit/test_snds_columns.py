"""Every column of the SNDS has a treatment that somebody meant; a new one has none."""

from __future__ import annotations

import pyarrow as pa
import pytest

from fakes.public_data import SCHEMAS, public_data
from havre.adapters.pseudonymiser.polars import PolarsPseudonymiser
from havre.application.pseudonymise import NoTreatment, Pseudonyms
from havre.bootstrap.schemas import SNDS_LAYER, core_tables, read_schemas
from havre.domain.catalogue import build_table
from havre.domain.schema import Column, TableSchema, Treatment
from havre.formats.table_schema import parse_table_schema
from havre.snds.reviewed import HARMLESS, PLAIN
from havre.snds.treatments import TREATMENTS

# What names of numbers are made of, between underscores.
_PARTS = """ANO CLE CRY ENC ENT FAC ID IDE IDT IDV IPP MAM NIR NOM NOMC NU1 NU2 NU8 NUM NUMC
ORD RNG RUM SEJ SEQ SSEQ VEH"""
PARTS_OF_NUMBERS = frozenset(_PARTS.split())
NUMBERS = {
    "BEN_NIR_PSA": ("foreign-pseudonym", "nir-psa"),
    "BEN_IDT_ANO": ("foreign-pseudonym", "idt-ano"),
    "ETA_NUM": ("technical-key", "eta"),
    "ETA_NUM_GEO": ("technical-key", "eta"),
    "ETB_EXE_FIN": ("technical-key", "eta"),
    "ETB_NUM": ("technical-key", "eta"),
    "IDE_GES_NUM": ("technical-key", "eta"),
    "BEN_NIR_IDT": ("foreign-pseudonym", "nir-egb"),
    "BEN_RAT_ANO": ("foreign-pseudonym", "annuity"),
    "ID_MAM_ENF": ("foreign-pseudonym", "nir-mam"),
    "NIR_ANO_MAM": ("foreign-pseudonym", "nir-mam"),
    "IPP_IDV_NUM": ("foreign-pseudonym", "nir-ps"),
    "TRS_CDR_NOM": ("foreign-pseudonym", "crew"),
    "TRS_VEH_NUM": ("foreign-pseudonym", "vehicle"),
    "TRS_VEH_NUMC": ("foreign-pseudonym", "vehicle-c"),
    "PRS_ANO_ORI": ("foreign-pseudonym", "rejected-value"),
    "ENT_NUM": ("technical-key", ""),
    "SEJ_NUM": ("technical-key", ""),
    "DAT_HOS": ("technical-key", ""),
    "CLE_TEC_PRS": ("technical-key", ""),
    "NUM_DAT_AT": ("technical-key", ""),
    "BIO_SEQ_NUM": ("technical-key", ""),
    "NUM_FAC": ("technical-key", "FAC_NUM"),
    "ORG_CLE_NEW": ("technical-key", "ORG_CLE_NUM"),
    "PFS_EXE_NUM": ("technical-key", "pfs"),
    "PFS_EXE_NUMC": ("technical-key", "pfs-c"),
    "PRS_MTT_NUMC": ("technical-key", "pfs-c"),
    "PSP_PPS_NUMC": ("technical-key", "pfs-c"),
    "IDE_ETA_NUM": ("technical-key", "eta"),
    "ETE_ETA_TRF": ("technical-key", "eta"),
    "SOC_RAI": ("technical-key", ""),
}


def a_table(*columns: str) -> TableSchema:
    """Build a table of these columns as an import of the SNDS does."""
    fields = [{"name": name, "type": "string"} for name in columns]
    described = parse_table_schema({"name": "T", "produit": "test", "fields": fields})
    return build_table(described, layer=SNDS_LAYER).schema


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_of_somebody_or_something_is_not_plain(name: str) -> None:
    column = a_table(name).column(name)

    assert (column.treatment.value, column.realm) == NUMBERS[name]


@pytest.mark.parametrize("name", NUMBERS)
def test_no_number_is_the_same_in_two_projects(name: str) -> None:
    pseudonyms, schema = Pseudonyms(PolarsPseudonymiser()), a_table(name)
    rows = pa.table({name: ["0123456789abcdef0123456789abcdef"]})

    given = {
        pa.table(pseudonyms.for_project(rows, schema=schema, secret=secret))[name][0].as_py()
        for secret in (b"1" * 32, b"2" * 32)
    }

    assert len(given | {rows[name][0].as_py()}) == 3


@pytest.mark.parametrize("name", ["BEN_NEW_NUM", "PATIENT_NAME", "HOS_NEW_IDT", "BEN_NEW_COD", "X"])
def test_a_column_that_nobody_has_read_keeps_its_table_out_of_the_lake(name: str) -> None:
    schema = a_table("BEN_NIR_PSA", name)

    with pytest.raises(NoTreatment, match=name):
        Pseudonyms(PolarsPseudonymiser()).for_lake(
            pa.table({name: ["1"]}), schema=schema, secret=bytes(32)
        )


def test_what_looks_like_a_number_and_is_none_has_a_reason_of_its_own() -> None:
    plain = [name for names in PLAIN.values() for name in names.split()]
    harmless = [name for names in HARMLESS.values() for name in names.split()]

    assert [name for name in plain if PARTS_OF_NUMBERS & set(name.split("_"))] == []
    assert [name for name in harmless if not PARTS_OF_NUMBERS & set(name.split("_"))] == []


def test_no_name_was_read_twice() -> None:
    names = [name for group in (*HARMLESS.values(), *PLAIN.values()) for name in group.split()]

    assert len(names) == len(set(names))


def test_what_names_somebody_is_asked_before_what_names_nobody() -> None:
    order = [each.treatment == "plain" for each in TREATMENTS]

    assert order == sorted(order)


def test_a_mother_a_professional_and_a_driver_do_not_say_whose_row_it_is() -> None:
    mothers = a_table("ID_MAM_ENF", "NIR_ANO_MAM", "NIR_ANO_17")
    others = a_table("IPP_IDV_NUM", "TRS_CDR_NOM", "TRS_VEH_NUM", "PRS_ANO_ORI")

    assert (mothers.person, others.person) == (("NIR_ANO_17",), ())


def test_a_newborn_without_a_mothers_stay_has_no_mother() -> None:
    assert a_table("NIR_ANO_MAM").column("NIR_ANO_MAM").sentinels == ("AB" * 16,)


@pytest.mark.parametrize(
    ("table", "name", "length"),
    [("IR_BEN_R", "BEN_IDT_ANO", 18), ("KI_CCI_R", "BEN_IDT_ANO", 18), ("T_MCOaaB", "GRG_RET", 3)],
)
def test_a_column_is_as_long_as_what_the_snds_sends_in_it(
    table: str, name: str, length: int
) -> None:
    """A pseudonym and a rank are 18 characters, a return code such as 024 is three."""
    (built,) = (each for each in core_tables() if each.schema.name == table)

    assert built.schema.column(name).length == length


def test_our_own_tables_agree_with_the_layer() -> None:
    def spoken(column: Column) -> tuple[str, Treatment, str]:
        return column.name, column.treatment, column.realm

    ours = {spoken(column) for built in core_tables() for column in built.schema.columns}

    assert {spoken(a_table(name).column(name)) for name, _, _ in ours} == ours


@public_data
def test_every_column_of_the_public_schema_has_a_deliberate_treatment() -> None:
    columns = [
        (built.schema.name, column)
        for built in read_schemas(SCHEMAS, layer=SNDS_LAYER)
        for column in built.schema.columns
    ]

    undeclared = [(t, c.name) for t, c in columns if c.treatment is Treatment.UNDECLARED]
    # Published ones, and the year of the file in 114 tables that have it in their name only.
    assert len(columns) == 4815 + 114
    assert undeclared == []


@public_data
def test_every_number_of_the_public_schema_can_be_replaced() -> None:
    """A key has a canonical text: whole numbers, days and texts have one, decimals have not."""
    built = read_schemas(SCHEMAS, layer=SNDS_LAYER)

    kinds = {
        column.type.value
        for table in built
        for column in table.schema.columns
        if column.treatment is not Treatment.PLAIN
    }

    assert kinds <= {"string", "integer", "date"}


@public_data
def test_our_own_tables_say_what_the_public_schema_says_once_it_is_corrected() -> None:
    """Other types only where ours keep an amount whole or a code a text; never another year or key."""
    published = {
        built.schema.name: built.schema for built in read_schemas(SCHEMAS, layer=SNDS_LAYER)
    }
    ours = [built.schema for built in core_tables() if built.schema.name in published]
    names, types, years = set(), set(), []
    for table in ours:
        theirs = published[table.name]
        if table.primary_key != theirs.primary_key or table.link != theirs.link:
            names.add(table.name)
        for column in table.columns:
            other = theirs.column(column.name)
            if column.type is not other.type:
                types.add(column.name)
            if said(table, column) != said(theirs, other):
                years.append((table.name, column.name))

    assert len(ours) == 60
    assert years == []
    assert names == KEYED_OTHERWISE.keys()
    assert types == TYPED_OTHERWISE


# Published without a key, or with another grain than its rows have.
KEYED_OTHERWISE = {
    "ER_CAM_F": "the key of its line and the number of the act",
    "ER_PHA_F": "the key of its line and the number of the box",
    "ER_DCT_F": "a claim follows its lines by the seven keys that it has itself",
    "KI_CCI_R": "one row per certificate",
    "T_MCOaaUM": "one row per stay and unit",
}
TYPED_OTHERWISE = {
    *("BEN_RNG_GEM", "FLX_EMT_NUM", "FLX_EMT_TYP", "CPL_MAJ_TOP", "DCD_IDT_TOP"),
    *("PRS_ACT_QTE", "RGO_REM_TAU", "NBR_ACT", "NBR_DGN", "ENT_DAT_DEL"),
}


def said(table: TableSchema, column: Column) -> tuple[object, ...]:
    return column.since or table.since, column.until, column.absent, column.code_list


def test_a_name_has_one_type_in_all_our_own_tables() -> None:
    kinds: dict[str, set[str]] = {}
    for built in core_tables():
        for column in built.schema.columns:
            kinds.setdefault(column.name, set()).add(column.type.value)

    assert {name for name, types in kinds.items() if len(types) > 1} == set()


def test_every_link_of_our_own_tables_is_of_columns_that_both_have_with_one_treatment() -> None:
    ours = {built.schema.name: built.schema for built in core_tables()}
    for table in ours.values():
        if table.link is not None:
            there = ours[table.link.table]
            for name in table.link.columns:
                here, other = table.column(name), there.column(name)
                assert (here.treatment, here.realm) == (other.treatment, other.realm)
