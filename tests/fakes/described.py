"""A catalogue with one dataset of two versions, as pages and exports are tried on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from havre.domain.catalogue_view import CatalogueView, SampleFile, VersionView, view_dataset
from havre.domain.content import ColumnCount, TableCount, ValueCount
from havre.domain.dataset_card import parse_cards
from havre.domain.description import DatasetDescription, describe_table
from havre.domain.quality import LineCounts, judge_version
from havre.domain.schema import Catalogue, Column, ColumnType, TableSchema, Treatment
from havre.ports.pages import ShownCatalogue

TABLE = TableSchema(
    name="STAYS",
    dataset="dcir",
    title="Séjours",
    person=("BEN_NIR_PSA",),
    period_column="EXE_SOI_DTD",
    columns=(
        Column(name="BEN_NIR_PSA", treatment=Treatment.FOREIGN_PSEUDONYM),
        Column(name="EXE_SOI_DTD", type=ColumnType.DATE, required=True),
        Column(name="DGN_PAL", title="<b>Diagnostic</b>"),
        Column(name="NOTE"),
    ),
)
CARDS: dict[str, Any] = {
    "catalogue": {
        "address": "https://hub.example/",
        "title": {"fr": "Catalogue", "en": "Catalogue"},
        "description": {"en": "What the hub holds."},
    },
    "publisher": {
        "name": "Hub", "homepage": "https://hub.example/", "email": "hub@hub.example",
        "kind": "http://healthdataportal.eu/resource/authority/publisher-type/govHealth",
        "note": "Keeps the data.", "trusted": True,
    },
    "access_body": {
        "name": "Body", "homepage": "https://hdab.example/", "email": "in@hdab.example",
    },
}  # fmt: skip
SAMPLE = SampleFile("STAYS", "samples/dcir/STAYS.csv", 2048, "0" * 64)


def version(index: int, *, broken: int = 0, last: str = "2023-11") -> VersionView:
    """One version of 2,000 rows, some of whose lines had a duplicate key."""
    codes = (ValueCount("E11", 1500, 11), ValueCount("I50", 400, 11), ValueCount("RARE", 100, 3))
    days = (ValueCount("2023-01", 900, 11), ValueCount(last, 1100, 11))
    columns = (
        ColumnCount("EXE_SOI_DTD", 0, days),
        ColumnCount("DGN_PAL", 100, codes),
    )
    counted = TableCount("STAYS", 2000, 700, columns)
    at = datetime(2024, 1, index, tzinfo=UTC)
    told = DatasetDescription("dcir", f"{index:032x}", (describe_table(counted, schema=TABLE),))
    aside = {"duplicate key": broken}
    label = judge_version(
        told, LineCounts(2000 + broken, aside), periods={"STAYS": "EXE_SOI_DTD"}, at=at
    )
    return VersionView(index, at, 2000, 0, told, label)


def described_view() -> CatalogueView:
    """The catalogue, everything that an operator may say said."""
    card = parse_cards(CARDS)
    versions = [version(3), version(9, broken=400, last="2023-12")]
    dataset = view_dataset(card.dataset("dcir"), Catalogue((TABLE,)), versions, sample=[SAMPLE])
    return CatalogueView(card, (dataset,))


def described_catalogue() -> ShownCatalogue:
    """The same, as pages show it."""
    return ShownCatalogue(described_view(), {"catalogue/catalogue.ttl": b""})
