"""The use case: what happens to a column follows from its treatment alone."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest

from fakes.pseudonymiser import NaivePseudonymiser
from havre.application.pseudonymise import (
    NirCompanions,
    NoTreatment,
    PseudonymisedTable,
    pseudonymise_at_holder,
    pseudonymise_for_lake,
    pseudonymise_for_project,
)
from havre.crypto.pseudonyms import (
    project_key,
    project_pseudonym,
    pseudonym_of_foreign,
    pseudonym_of_nir,
    second_stage,
)
from havre.domain.schema import Column, TableSchema, Treatment
from havre.errors import InvalidInput

HOLDER, HUB, PROJECT_A, PROJECT_B = (bytes([n]) * 32 for n in range(4))

SCHEMA = TableSchema(
    name="STAYS",
    dataset="pmsi",
    columns=(
        Column(name="NIR_ANO_17", treatment=Treatment.FOREIGN_PSEUDONYM, realm="nir-psa"),
        Column(name="ETA_NUM", treatment=Treatment.TECHNICAL_KEY, realm="eta"),
        Column(name="RSA_NUM", treatment=Treatment.TECHNICAL_KEY),
        Column(name="DIAGNOSIS"),
    ),
)
DELIVERED = pa.table(
    {
        "NIR_ANO_17": ["1234567890ABCDEFG", "X" * 17],
        "ETA_NUM": ["750712184", "750712184"],
        "RSA_NUM": ["1", "2"],
        "DIAGNOSIS": ["I50", "E11"],
    }
)


def at_holder() -> pa.Table:
    return pa.table(
        pseudonymise_at_holder(
            DELIVERED, schema=SCHEMA, secret=HOLDER, pseudonymiser=NaivePseudonymiser()
        )
    )


def in_lake() -> pa.Table:
    table = pseudonymise_for_lake(
        at_holder(), schema=SCHEMA, secret=HUB, pseudonymiser=NaivePseudonymiser()
    )
    return pa.table(table.rows)


def in_project(secret: bytes, *true_keys: str) -> pa.Table:
    return pa.table(
        pseudonymise_for_project(
            in_lake(),
            schema=SCHEMA,
            secret=secret,
            pseudonymiser=NaivePseudonymiser(),
            true_keys=frozenset(true_keys),
        )
    )


def test_the_three_stages_follow_each_other() -> None:
    first = pseudonym_of_foreign("1234567890ABCDEFG", realm="nir-psa", secret=HOLDER)
    lake = second_stage(first, secret=HUB)

    assert at_holder()["NIR_ANO_17"].to_pylist() == [first, None]
    assert in_lake()["NIR_ANO_17"].to_pylist() == [bytes.fromhex(lake), None]
    assert set(in_project(PROJECT_A)["NIR_ANO_17"].to_pylist()) == {
        project_pseudonym(lake, secret=PROJECT_A),
        None,
    }


def test_technical_keys_stay_in_the_lake_and_change_in_an_extract() -> None:
    extract = in_project(PROJECT_A)

    assert in_lake()["ETA_NUM"].equals(DELIVERED["ETA_NUM"])
    assert set(extract["ETA_NUM"].to_pylist()) == {
        project_key("750712184", key="eta", secret=PROJECT_A)
    }
    assert set(extract["RSA_NUM"].to_pylist()) == {
        project_key(number, key="RSA_NUM", secret=PROJECT_A) for number in "12"
    }


def test_a_granted_key_stays_true() -> None:
    assert set(in_project(PROJECT_A, "ETA_NUM")["ETA_NUM"].to_pylist()) == {"750712184"}


def test_only_a_technical_key_can_be_granted() -> None:
    with pytest.raises(InvalidInput, match="NIR_ANO_17"):
        in_project(PROJECT_A, "NIR_ANO_17")


def test_two_projects_share_no_surrogate() -> None:
    one, other = in_project(PROJECT_A), in_project(PROJECT_B)

    for column in ("NIR_ANO_17", "ETA_NUM", "RSA_NUM"):
        assert not (set(one[column].to_pylist()) & set(other[column].to_pylist()) - {None})


def test_a_column_that_nobody_declared_stops_the_table() -> None:
    columns = (*SCHEMA.columns, Column(name="NEW", treatment=Treatment.UNDECLARED))

    with pytest.raises(NoTreatment, match="NEW"):
        pseudonymise_for_lake(
            at_holder(),
            schema=replace(SCHEMA, columns=columns),
            secret=HUB,
            pseudonymiser=NaivePseudonymiser(),
        )


def test_a_column_that_is_not_in_the_schema_stops_the_table() -> None:
    with pytest.raises(InvalidInput):
        pseudonymise_for_lake(
            at_holder().append_column("NEW", pa.array(["x", "y"])),
            schema=SCHEMA,
            secret=HUB,
            pseudonymiser=NaivePseudonymiser(),
        )


def test_nobody_else_makes_a_pseudonymised_table() -> None:
    rows = NaivePseudonymiser().hash_columns(
        DELIVERED, columns=[], plain=set(DELIVERED.column_names), secret=HUB
    )

    with pytest.raises(TypeError):
        PseudonymisedTable(SCHEMA, rows, proof=object())


def test_a_nir_is_hashed_with_its_birth_date_and_sex() -> None:
    schema = TableSchema(
        name="PATIENTS",
        dataset="hospital",
        columns=(
            Column(name="NIR", treatment=Treatment.NIR),
            Column(name="BORN"),
            Column(name="SEX"),
        ),
    )
    rows = pa.table({"NIR": ["206127511100564"], "BORN": ["20061201"], "SEX": ["2"]})

    first = pseudonymise_at_holder(
        rows,
        schema=schema,
        secret=HOLDER,
        pseudonymiser=NaivePseudonymiser(),
        companions={"NIR": NirCompanions("BORN", "SEX")},
    )

    expected = pseudonym_of_nir("206127511100564", birth="20061201", sex="2", secret=HOLDER)
    assert pa.table(first)["NIR"].to_pylist() == [expected]
    with pytest.raises(InvalidInput, match="birth date"):
        pseudonymise_at_holder(
            rows, schema=schema, secret=HOLDER, pseudonymiser=NaivePseudonymiser()
        )
