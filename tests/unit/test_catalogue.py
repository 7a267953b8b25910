"""The catalogue: what an operator says, what pages show, what is written for others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyshacl
import pytest
from rdflib import Graph

from fakes.described import CARDS, TABLE, described_view
from havre.adapters.pages.cataloguing import CatalogueTeller, search_index
from havre.bootstrap.catalogue_words import read_cards
from havre.domain.catalogue_export import croissant_of, dcat_of
from havre.domain.catalogue_view import CatalogueView, view_dataset
from havre.domain.dataset_card import CatalogueCard, known_card, missing_words, parse_cards
from havre.domain.description import Withheld
from havre.domain.schema import Catalogue
from havre.errors import InvalidInput
from havre.formats.croissant import encode_croissant
from havre.formats.health_dcat import encode_dcat
from havre.snds.datasets import KNOWN_DATASETS

SHAPES = Path(__file__).parents[2] / "src/havre/formats/health_dcat.ttl"


def said(**changes: Any) -> dict[str, Any]:
    return {**CARDS, **changes}


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (said(publisher={"nom": "x"}), "publisher.nom"),
        (said(catalogue={"address": "hub"}), "catalogue.address"),
        (said(publisher={"homepage": "javascript:alert(1)"}), "publisher.homepage"),
        (said(publisher={"trusted": "yes"}), "publisher.trusted"),
        (said(datasets={"dcir": {"titel": {}}}), "datasets.dcir.titel"),
        (said(datasets={"dcir": {"title": "DCIR"}}), "datasets.dcir.title"),
        (said(datasets={"dcir": {"title": {"french": "x"}}}), "datasets.dcir.title"),
        (said(datasets={"dcir": {"ages": [0, 200]}}), "datasets.dcir.ages"),
        (said(datasets={"dcir": {"retention": ["2023", "x"]}}), "datasets.dcir.retention"),
        (said(datasets={"dcir": {"themes": ["not a uri"]}}), "datasets.dcir.themes"),
        (said(datasets={"dcir": {"keywords": {"fr": "one"}}}), "datasets.dcir.keywords"),
        (said(more={}), "more"),
        (said(datasets=[]), "datasets"),
    ],
)
def test_a_word_of_the_operator_that_is_misspelled_is_named(
    body: dict[str, Any], named: str
) -> None:
    with pytest.raises(InvalidInput, match=named.replace(".", r"\.")):
        parse_cards(body)


def test_what_the_operator_says_goes_before_what_is_known() -> None:
    card = parse_cards(said(datasets={"dcir": {"holder": "Somebody", "ages": [18, 90]}}))

    assert card.dataset("dcir").holder == "Somebody"
    assert card.dataset("dcir").ages == (18, 90)
    assert card.dataset("dcir").frequency == known_card("dcir").frequency == "MONTHLY"
    assert card.dataset("cepidc") == known_card("cepidc")


@pytest.mark.parametrize("name", sorted(KNOWN_DATASETS))
def test_of_a_dataset_of_the_snds_nothing_is_lacking(name: str) -> None:
    assert missing_words(parse_cards(CARDS), (name,)) == ()


def test_what_nobody_said_of_another_dataset_is_listed() -> None:
    lacking = missing_words(parse_cards(CARDS), ("cohort",))

    assert "datasets.cohort.keywords" in lacking
    assert "datasets.cohort.title" not in lacking


def test_a_catalogue_whose_words_are_all_said_keeps_every_shape() -> None:
    graph = Graph().parse(data=encode_dcat(dcat_of(described_view())).turtle, format="turtle")

    conforms, _, told = pyshacl.validate(graph, shacl_graph=Graph().parse(SHAPES))

    assert conforms, told


def test_the_export_says_what_was_counted_and_holds_no_value_that_few_share() -> None:
    turtle = encode_dcat(dcat_of(described_view())).turtle.decode()

    assert 'numberOfRecords "4000"^^xsd:nonNegativeInteger' in turtle
    assert 'numberOfUniqueIndividuals "700"^^xsd:nonNegativeInteger' in turtle
    assert 'dcat:endDate "2023-12-31"^^xsd:date' in turtle
    assert "uniqueness: level 1 of 4 (83.33 % of about 2400 rows)" in turtle
    assert "http://hl7.org/fhir/sid/icd-10" in turtle
    assert "RARE" not in turtle


def test_croissant_describes_the_sample_and_nothing_else() -> None:
    view = described_view()
    written = json.loads(encode_croissant(croissant_of(view.datasets[0], view.card)))

    (file,) = written["distribution"]
    assert file["contentUrl"] == "https://hub.example/samples/dcir/STAYS.csv"
    fields = [field["name"] for field in written["recordSet"][0]["field"]]
    assert fields == list(TABLE.column_names)
    assert written["version"] == "2.0.0"


def test_a_table_that_no_version_describes_is_shown_as_declared() -> None:
    view = view_dataset(known_card("dcir"), Catalogue((TABLE,)), [])

    (table,) = view.tables
    assert table.rows == 0
    assert {each.withheld for each in table.variables} == {
        Withheld.TREATED, Withheld.NOT_COUNTED, Withheld.WORDS,
    }  # fmt: skip


def test_two_labels_are_compared_in_words() -> None:
    view = described_view()
    versions = view.datasets[0].versions

    assert CatalogueTeller(view, "en").changes(versions[1], versions) == "worse: uniqueness"
    assert CatalogueTeller(view, "en").changes(versions[0], versions) == ""


def test_the_search_knows_each_table_and_variable_in_both_languages() -> None:
    lines = json.loads(search_index(described_view()))["lines"]

    assert ["dcir", "STAYS", "", "Séjours"] in lines
    assert ["dcir", "STAYS", "EXE_SOI_DTD", "date de début des soins / first day of care"] in lines
    assert len(lines) == 1 + len(TABLE.columns)


def test_a_hub_without_words_of_its_operator_has_a_catalogue_all_the_same(tmp_path: Any) -> None:
    assert read_cards(tmp_path) == CatalogueCard()
    (tmp_path / "catalogue.toml").write_text("[catalogue\n")

    with pytest.raises(InvalidInput, match="is not TOML"):
        read_cards(tmp_path)
    assert CatalogueView().dataset("dcir") is None
