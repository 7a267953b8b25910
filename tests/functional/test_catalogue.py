"""The catalogue of a whole hub: what its pages and commands tell follows from what was delivered, under the rules."""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from rdflib import Graph
from typer.testing import CliRunner

from fakes.small_hub import SmallHub, copy_of, ingested
from havre.bootstrap.cataloguing import view_one
from havre.cli.main import app
from havre.domain.content import Grain
from havre.domain.description import CodeRows


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> SmallHub:
    return copy_of(ingested(), tmp_path_factory.mktemp("catalogue"))


def call(hub: SmallHub, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["catalogue", *words, "--hub", str(hub.hub)])
    return getattr(done.exception, "exit_code", done.exit_code), done.stdout


def delivered(hub: SmallHub, name: str) -> list[dict[str, str]]:
    """Every whole line of one of the holders' files, as it was delivered."""
    rows = []
    for path in sorted(hub.deliveries.glob(f"*/{name}")):
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            rows += [
                row
                for row in csv.DictReader(file, delimiter=";", quoting=csv.QUOTE_NONE)
                if None not in row.values() and None not in row
            ]
    return rows


def test_the_codes_that_are_shown_are_those_that_a_count_by_hand_finds(hub: SmallHub) -> None:
    """Department of residence in the claims: rows, rounded; people, at least eleven."""
    rows, people = Counter[str](), defaultdict[str, set[str]](set)
    for line in delivered(hub, "ER_PRS_F.csv"):
        rows[line["BEN_RES_DPT"]] += 1
        people[line["BEN_RES_DPT"]].add(line["BEN_NIR_PSA"])
    view = view_one(hub.open(), "dcir")
    (table,) = [each for each in view.tables if each.name == "ER_PRS_F"]
    (variable,) = [each for each in table.variables if each.name == "BEN_RES_DPT"]

    assert variable.codes
    for code in variable.codes:
        assert len(people[code.code]) >= 11
        assert abs(rows[code.code] - code.rows) <= 60
    least = variable.codes[-1].rows
    shared = {code for code, sharers in people.items() if len(sharers) >= 11}
    assert {code for code in shared if rows[code] > least + 110} <= {
        each.code for each in variable.codes
    }


def test_the_people_of_drugs_are_found_through_the_claims_they_follow(hub: SmallHub) -> None:
    (table,) = [each for each in view_one(hub.open(), "dcir").tables if each.name == "ER_PHA_F"]
    (drug,) = [each for each in table.variables if each.name == "PHA_PRS_C13"]

    assert table.grain is Grain.FOLLOWING
    assert table.links_found == 1000
    assert len(drug.codes) == 10
    assert all(isinstance(each, CodeRows) and each.rows >= 100 for each in drug.codes)


def test_nothing_exact_is_kept_in_the_records(hub: SmallHub) -> None:
    records = hub.open().records
    kinds = {"description", "quality-label"}

    kept = [each for kind in kinds for each in records.list_documents(kind)]

    assert len(kept) == 2 * 4
    for each in kept:
        body = json.loads(each.body)
        for table in body.get("tables", ()):
            numbers = [table["rows"], table["people"] or 0]
            numbers += [code[1] for var in table["variables"] for code in var["codes"]]
            assert not [number for number in numbers if number % 100]


def test_a_sample_has_the_form_of_its_tables_and_is_shown_from_then_on(
    hub: SmallHub, tmp_path: Path
) -> None:
    opened = hub.open()
    assert call(hub, "sample", "beneficiaires", "--json")[0] == 0

    (written,) = [
        each for each in view_one(opened, "beneficiaires").sample if each.table == "IR_BEN_R"
    ]
    with (opened.place.site / written.path).open(newline="") as file:
        header, *rows = csv.reader(file)
    schema = opened.catalogue.known().catalogue.table("IR_BEN_R")
    assert tuple(header) == schema.column_names
    assert len(rows) == 300
    assert {row[header.index("BEN_SEX_COD")] for row in rows} == {"1", "2"}


def test_a_dataset_that_nobody_makes_up_or_knows_is_named(hub: SmallHub) -> None:
    assert call(hub, "sample", "cohort-7")[0] == 5
    assert call(hub, "quality", "cohort-7")[0] == 5


def test_the_export_is_read_by_others(hub: SmallHub, tmp_path: Path) -> None:
    code, said = call(hub, "export", str(tmp_path / "out"), "--json")

    assert (code, json.loads(said)["files"]) == (0, 2)
    graph = Graph().parse(tmp_path / "out/catalogue.ttl")
    datasets = graph.query("SELECT ?d WHERE { ?d a dcat:Dataset }")
    assert len(datasets) >= 4
    assert call(hub, "export", str(tmp_path / "x"), "--format", "csv")[0] == 2


def test_what_a_european_catalogue_lacks_is_listed_and_ends_with_its_code(hub: SmallHub) -> None:
    code, said = call(hub, "check", "--json")

    assert code == 7
    assert "publisher.name" in json.loads(said)["lacking"]


def test_the_quality_of_a_version_is_shown_and_compared(hub: SmallHub) -> None:
    index = view_one(hub.open(), "dcir").versions[-1].index

    _, said = call(hub, "quality", "dcir", "--json")
    _, compared = call(hub, "quality", "dcir", "--against", str(index), "--json")

    levels = {row["element"]: row["level"] for row in json.loads(said)}
    assert set(levels) == {
        "completeness", "uniqueness", "accuracy", "validity", "timeliness", "consistency",
    }  # fmt: skip
    assert levels["consistency"] == 4
    assert {row["change"] for row in json.loads(compared)} == {"the same"}
    assert call(hub, "quality", "dcir", "--against", "1")[0] == 5


def test_the_site_has_a_page_for_each_dataset_and_table(hub: SmallHub) -> None:
    opened = hub.open()
    written = set(opened.publication.publish())

    for table in opened.catalogue.known().catalogue.tables:
        for language in ("fr", "en"):
            assert f"{language}/dataset-{table.dataset}.html" in written
            assert f"{language}/table-{table.name}.html" in written
    index = view_one(opened, "dcir").versions[-1].index
    assert f"catalogue/dcir/{index}.json" in written
