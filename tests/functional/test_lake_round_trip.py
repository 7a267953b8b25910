"""From a holder's rows to two projects' extracts, with the real parts on a real directory.

No custodian here: the keys are at hand. What is tried is that the rooms of the
lake fit each other, and that two extracts share nothing that was made to differ.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from havre.adapters.engines.duckdb import DuckDbEngine
from havre.adapters.objects.local import LocalObjects
from havre.adapters.pseudonymiser.polars import PolarsPseudonymiser
from havre.adapters.tables.parquet import ParquetTables
from havre.application.pseudonymise import (
    pseudonymise_at_holder,
    pseudonymise_for_lake,
    pseudonymise_for_project,
)
from havre.application.vault.reading import (
    ListedFile,
    ReadPlace,
    VaultReader,
    manifest_locations,
    version_chain,
)
from havre.application.vault.sealing import VaultWriter, VersionWriter, WritePlace
from havre.crypto.sealing import PartitionKey
from havre.domain.events import VersionPublished
from havre.domain.permit import Population, TableGrant
from havre.domain.plan_making import PopulationTable, make_plan
from havre.domain.schema import Catalogue, Column, ColumnType, Link, TableSchema, Treatment
from havre.values import Partition, PartitionKind

ORIGIN = "hub.example/log"
HOLDER, HUB, PROJECT_A, PROJECT_B = (bytes([n]) * 32 for n in range(4))
WHO = Column(name="BEN_NIR_PSA", treatment=Treatment.FOREIGN_PSEUDONYM, realm="nir-psa", length=17)
FLOW = Column(name="FLX", treatment=Treatment.TECHNICAL_KEY, type=ColumnType.DATE)
ORDER = Column(name="ORD", treatment=Treatment.TECHNICAL_KEY, type=ColumnType.INTEGER)
PEOPLE = TableSchema(
    name="IR_BEN_R",
    dataset="dcir",
    columns=(WHO, Column(name="BEN_NAI_ANN"), Column(name="BEN_RES_DPT")),
    person=("BEN_NIR_PSA",),
)
CARE = TableSchema(
    name="ER_PRS_F",
    dataset="dcir",
    columns=(WHO, FLOW, ORDER, Column(name="EXE_SOI_DTD", type=ColumnType.DATE)),
    person=("BEN_NIR_PSA",),
    year_column="EXE_SOI_DTD",
    period_column="EXE_SOI_DTD",
)
DRUGS = TableSchema(
    name="ER_PHA_F",
    dataset="dcir",
    columns=(FLOW, ORDER, Column(name="CIP")),
    year_column="FLX",
    link=Link("ER_PRS_F", ("FLX", "ORD")),
)
CATALOGUE = Catalogue((PEOPLE, CARE, DRUGS))


def person(number: int) -> str:
    return "X" * 17 if number == 0 else f"PERSON{number:011d}"


def delivered() -> dict[str, pa.Table]:
    lines = range(600)
    flows = [date(2021, 1, 1) + timedelta(days=n % 700) for n in lines]
    return {
        "IR_BEN_R": pa.table(
            {
                "BEN_NIR_PSA": [person(n) for n in range(40)],
                "BEN_NAI_ANN": [str(1930 + n) for n in range(40)],
                "BEN_RES_DPT": ["2A" if n % 2 else "75" for n in range(40)],
            }
        ),
        "ER_PRS_F": pa.table(
            {
                "BEN_NIR_PSA": [person(n % 40) for n in lines],
                "FLX": flows,
                "ORD": lines,
                "EXE_SOI_DTD": [flow - timedelta(days=3) for flow in flows],
            }
        ),
        "ER_PHA_F": pa.table({"FLX": flows, "ORD": lines, "CIP": [f"c{n}" for n in lines]}),
    }


class Keys:
    """Every partition's private half, at hand."""

    def __init__(self) -> None:
        self.by_id = {f"id-{year}": PartitionKey.generate() for year in (0, 2020, 2021, 2022)}

    def unwrap(self, partition_id: str, sealed: bytes, info: bytes) -> bytes:
        return self.by_id[partition_id].open_key(sealed, info=info)


def partition(partition_id: str) -> Partition:
    return Partition(PartitionKind.DATASET, "dcir", int(partition_id.removeprefix("id-")))


def lake(root: Path, keys: Keys) -> tuple[VaultReader, tuple[ListedFile, ...]]:
    objects, tables, hashing = LocalObjects(root), ParquetTables(), PolarsPseudonymiser()
    places = {
        partition(name).year or 0: WritePlace(partition(name), name, key.public)
        for name, key in keys.by_id.items()
    }
    version = VersionWriter(VaultWriter(objects, tables, origin=ORIGIN), places=places)
    for name, rows in delivered().items():
        schema = CATALOGUE.table(name)
        first = pseudonymise_at_holder(rows, schema=schema, secret=HOLDER, pseudonymiser=hashing)
        table = pseudonymise_for_lake(first, schema=schema, secret=HUB, pseudonymiser=hashing)
        version.add(table, delivery="dcir-2021")
    sealed = version.close()
    event = VersionPublished(
        event_id="0" * 32,
        at=datetime(2026, 1, 1, tzinfo=UTC),
        dataset="dcir",
        parent=None,
        manifests=sealed.digests,
        rows=sealed.rows,
    )
    reader = VaultReader(objects, tables, origin=ORIGIN, keys=keys)
    files = reader.list_files(
        version_chain({0: event}, version=0),
        places=[ReadPlace(partition(name), name) for name in keys.by_id],
        locations=manifest_locations(sealed.documents),
    )
    return reader, files


def extract(
    reader: VaultReader, files: tuple[ListedFile, ...], secret: bytes
) -> dict[str, pa.Table]:
    plan = make_plan(
        [
            TableGrant("dcir", "ER_PRS_F", ("BEN_NIR_PSA", "FLX", "ORD", "EXE_SOI_DTD")),
            TableGrant("dcir", "ER_PHA_F", ("FLX", "ORD", "CIP")),
        ],
        period=(date(2021, 3, 1), date(2021, 12, 31)),
        population=Population((1930, 1949), ("2A",)),
        people=PopulationTable("IR_BEN_R", "BEN_NAI_ANN", "BEN_RES_DPT"),
        catalogue=CATALOGUE,
    )
    with reader.sources(plan, files=files) as sources:
        return {
            name: pa.table(
                pseudonymise_for_project(
                    rows,
                    schema=CATALOGUE.table(name),
                    secret=secret,
                    pseudonymiser=PolarsPseudonymiser(),
                )
            )
            for name, rows in DuckDbEngine().run(plan, sources=sources).items()
        }


@pytest.fixture(scope="module")
def extracts(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, pa.Table]]:
    reader, files = lake(tmp_path_factory.mktemp("store"), Keys())
    return [extract(reader, files, secret) for secret in (PROJECT_A, PROJECT_B)]


def expected_lines() -> list[int]:
    care = delivered()["ER_PRS_F"]
    return [
        line
        for line, day in zip(care["ORD"].to_pylist(), care["EXE_SOI_DTD"].to_pylist(), strict=True)
        if date(2021, 3, 1) <= day <= date(2021, 12, 31)
        if line % 40 % 2 == 1 and line % 40 < 20
    ]


def test_an_extract_has_the_periods_and_the_peoples_rows_and_no_other(extracts: Any) -> None:
    lines = expected_lines()

    for tables in extracts:
        assert sorted(tables["ER_PHA_F"]["CIP"].to_pylist()) == sorted(f"c{n}" for n in lines)
        assert tables["ER_PRS_F"].num_rows == len(lines)
        assert len(set(tables["ER_PRS_F"]["BEN_NIR_PSA"].to_pylist())) == 10


def test_keys_still_join_the_tables_of_one_extract(extracts: Any) -> None:
    for tables in extracts:
        care, drugs = tables["ER_PRS_F"], tables["ER_PHA_F"]
        joined = care.join(drugs, ["FLX", "ORD"], join_type="inner")

        assert joined.num_rows == care.num_rows == drugs.num_rows


def test_two_extracts_share_no_surrogate_and_no_order(extracts: Any) -> None:
    one, other = extracts
    for table, columns in {
        "ER_PRS_F": ("BEN_NIR_PSA", "FLX", "ORD"),
        "ER_PHA_F": ("FLX", "ORD"),
    }.items():
        for column in columns:
            shared = set(one[table][column].to_pylist()) & set(other[table][column].to_pylist())
            assert not shared

    assert one["ER_PHA_F"]["CIP"].to_pylist() != other["ER_PHA_F"]["CIP"].to_pylist()


def test_nobody_of_the_sentinels_became_a_person(tmp_path: Path) -> None:
    reader, files = lake(tmp_path, Keys())
    for file in files:
        if file.entry.table == "IR_BEN_R":
            with reader.read_table(file) as rows:
                assert pa.table(rows)["BEN_NIR_PSA"].null_count == 1


def test_nothing_of_the_delivery_lies_in_the_store(tmp_path: Path) -> None:
    lake(tmp_path, Keys())

    clear = [b"PERSON0", b"BEN_NIR_PSA", b"ER_PRS_F", b"2021-", b"dcir"]
    for path in tmp_path.rglob("*"):
        if path.is_file():
            body = path.read_bytes()
            assert not [text for text in clear if text in body]
