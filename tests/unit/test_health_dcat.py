"""The catalogue says to European portals what the profile asks for, and the shapes notice what is lacking."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import pyshacl
import pytest
from rdflib import Graph
from rdflib.compare import isomorphic

from havre.formats.health_dcat import (
    EHDS,
    DcatAgent,
    DcatCatalogue,
    DcatColumn,
    DcatDataset,
    DcatFile,
    DcatTable,
    encode_dcat,
)

SITE = "https://hub.example/"
# A folder with the profile's own shapes, which are never in the tree.
PUBLISHED = Path(os.environ.get("HAVRE_DCAT_SHAPES") or "/nowhere")
AGENT = DcatAgent(
    name="Hub",
    homepage=SITE,
    email="hub@hub.example",
    kind="http://healthdataportal.eu/resource/authority/publisher-type/govHealth",
    note="Keeps the data.",
    trusted=True,
)
FILE = DcatFile(
    url=f"{SITE}en/permits.html", title={"en": "Under a permit"}, format="PARQUET",
    size_bytes=8_000_000, rights=f"{SITE}en/permits.html",
)  # fmt: skip
TABLE = DcatTable(
    url=f"{SITE}en/table-T.html",
    title="T",
    columns=(DcatColumn(name="A", title="", description="A, a date", kind="date"),),
)
DATASET = DcatDataset(
    uri=f"{SITE}en/dataset-d.html#dataset",
    identifier="https://hub.example/id/d",
    page=f"{SITE}en/dataset-d.html",
    title={"fr": "Remboursements", "en": "Reimbursements"},
    description={"fr": "Les soins remboursés.", "en": "Reimbursed care."},
    keywords={"en": ("care", "claims"), "fr": ("soins",)},
    publisher=AGENT,
    contact=AGENT,
    hdab=AGENT,
    provenance={"en": "Claims of the health insurance."},
    purposes=("https://w3id.org/dpv#PublicBenefit",),
    categories=("http://healthdataportal.eu/resource/authority/healthcategories/HRAD",),
    themes=("http://www.wikidata.org/entity/Q31207",),
    legislation=(EHDS,),
    coding_systems=("http://hl7.org/fhir/sid/icd-10",),
    spatial="http://publications.europa.eu/resource/authority/country/FRA",
    coverage={"en": "All who are insured."},
    distributions=(FILE,),
    samples=(replace(FILE, url=f"{SITE}samples/d/T.csv", format="CSV", size_bytes=2000),),
    tables=(TABLE,),
    rows=12_300,
    people=400,
    ages=(0, 110),
    period=("2023-01-01", "2024-12-31"),
    retention=("2023-01-01", "2043-12-31"),
    frequency="MONTHLY",
    quality={"completeness": "Level 4."},
    modified="2026-01-01",
)


def catalogue(dataset: DcatDataset = DATASET, **changes: Any) -> DcatCatalogue:
    whole = DcatCatalogue(
        uri=f"{SITE}#catalogue",
        title={"en": "Catalogue"},
        description={"en": "What the hub holds."},
        publisher=AGENT,
        datasets=(dataset,),
    )
    return replace(whole, **changes)


@cache
def shapes() -> Graph:
    text = resources.files("havre.formats").joinpath("health_dcat.ttl").read_text("utf-8")
    return Graph().parse(data=text, format="turtle")


def complaints(written: DcatCatalogue) -> list[str]:
    """What our shapes say of a catalogue, in order."""
    graph = Graph().parse(data=encode_dcat(written).turtle, format="turtle")
    _, report, _ = pyshacl.validate(graph, shacl_graph=shapes(), advanced=False)
    assert isinstance(report, Graph)
    found = report.query(
        "SELECT ?m WHERE { ?r a sh:ValidationReport ; sh:result/sh:resultMessage ?m }"
    )
    return sorted({str(row[0]) for row in found})  # type: ignore[index]


def test_a_whole_catalogue_keeps_every_shape() -> None:
    assert complaints(catalogue()) == []


def without_agent(**lost: Any) -> DcatAgent:
    return replace(AGENT, **lost)


LACKING: list[tuple[str, Callable[[], DcatCatalogue]]] = [
    ("has a title", lambda: catalogue(title={})),
    ("catalogue has a description", lambda: catalogue(description={})),
    ("catalogue has one publisher", lambda: catalogue(publisher=DcatAgent())),
    ("catalogue names the law", lambda: catalogue(legislation=())),
    ("lists a dataset", lambda: catalogue(datasets=())),
    ("an identifier that is a URI", lambda: catalogue(replace(DATASET, identifier=""))),
    ("dataset has a title", lambda: catalogue(replace(DATASET, title={}))),
    ("dataset has a description", lambda: catalogue(replace(DATASET, description={}))),
    ("has a keyword", lambda: catalogue(replace(DATASET, keywords={}))),
    ("dataset names the law", lambda: catalogue(replace(DATASET, legislation=()))),
    ("dataset has one publisher", lambda: catalogue(replace(DATASET, publisher=without_agent(note="")))),
    ("dataset has one publisher", lambda: catalogue(replace(DATASET, publisher=without_agent(kind="")))),
    ("access body", lambda: catalogue(replace(DATASET, hdab=without_agent(homepage="")))),
    ("access body", lambda: catalogue(replace(DATASET, hdab=without_agent(email="")))),
    ("has a contact", lambda: catalogue(replace(DATASET, contact=without_agent(email="", homepage="")))),
    ("where it comes from", lambda: catalogue(replace(DATASET, provenance={}))),
    ("collected for", lambda: catalogue(replace(DATASET, purposes=()))),
    ("category of article 51", lambda: catalogue(replace(DATASET, categories=()))),
    ("health theme", lambda: catalogue(replace(DATASET, themes=()))),
    ("of which place", lambda: catalogue(replace(DATASET, spatial=""))),
    ("has a distribution", lambda: catalogue(replace(DATASET, distributions=()))),
    ("has a distribution", lambda: catalogue(replace(DATASET, distributions=(replace(FILE, rights=""),)))),
    ("has a sample", lambda: catalogue(replace(DATASET, samples=()))),
    ("table has columns", lambda: catalogue(replace(DATASET, tables=(replace(TABLE, columns=()),)))),
    ("table has a title", lambda: catalogue(replace(DATASET, tables=(replace(TABLE, title=""),)))),
]  # fmt: skip


@pytest.mark.parametrize(("said", "written"), LACKING)
def test_a_property_that_is_lacking_is_named(
    said: str, written: Callable[[], DcatCatalogue]
) -> None:
    found = complaints(written())

    assert len(found) == 1
    assert said in found[0]


# Properties that are always written as they should be: the shape is tried on altered Turtle.
ALTERED = [
    ("theme of health", "data-theme/HEAL", "data-theme/TECH"),
    ("one type", "dataset-type/PERSONAL_DATA>", "dataset-type/PERSONAL_DATA>, <urn:x>"),
    ("is not public", "access-right/NON_PUBLIC", "access-right/PUBLIC"),
    ("number of records", 'numberOfRecords "12300"^^xsd:nonNegativeInteger', "numberOfRecords 1.5"),
    ("number of people", '"400"^^xsd:nonNegativeInteger', "-4"),
    ("least age", 'minTypicalAge "0"^^xsd:nonNegativeInteger', "minTypicalAge 0.5"),
    ("greatest age", '"110"^^xsd:nonNegativeInteger', "1.5"),
    ("period has", 'dcat:endDate "2024-12-31"^^xsd:date', "dct:x 1"),
    ("time of keeping", 'dcat:endDate "2043-12-31"^^xsd:date', "dct:x 1"),
]


@pytest.mark.parametrize(("said", "old", "new"), ALTERED)
def test_a_property_that_is_misspelled_is_named(said: str, old: str, new: str) -> None:
    text = encode_dcat(catalogue()).turtle.decode()
    assert old in text
    graph = Graph().parse(data=text.replace(old, new), format="turtle")

    _, _, told = pyshacl.validate(graph, shacl_graph=shapes())

    assert said in told


def test_every_shape_of_a_property_has_a_failing_example() -> None:
    found = shapes().query(
        "SELECT ?m WHERE { ?s a sh:PropertyShape ; sh:message ?m }",
        initNs={"sh": "http://www.w3.org/ns/shacl#"},
    )
    messages = [str(row[0]) for row in found]  # type: ignore[index]
    tried = [case[0] for case in LACKING] + [case[0] for case in ALTERED]

    assert [each for each in messages if not any(said in each for said in tried)] == []


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated")  # rdflib's own reader
def test_turtle_and_json_ld_say_the_same() -> None:
    turtle = Graph().parse(data=encode_dcat(catalogue()).turtle, format="turtle")
    json_ld = Graph().parse(data=encode_dcat(catalogue()).json_ld, format="json-ld")

    assert isomorphic(turtle, json_ld)
    assert len(turtle) > 100


def test_the_same_catalogue_gives_the_same_bytes() -> None:
    assert encode_dcat(catalogue()) == encode_dcat(catalogue())


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="HAVRE_DCAT_SHAPES names no folder of shapes")
def test_the_published_shapes_have_nothing_to_say() -> None:
    graph = Graph().parse(data=encode_dcat(catalogue()).turtle, format="turtle")
    files = sorted(PUBLISHED.glob("*.ttl"))

    assert files
    for file in files:
        conforms, _, told = pyshacl.validate(graph, shacl_graph=Graph().parse(file))
        assert conforms, (file.name, told)
