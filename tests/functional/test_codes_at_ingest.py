"""Codes are counted by the lists that a hub keeps, while rows come in, and a contract may ask for what comes of it."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from fakes.correcting import corrected
from fakes.small_hub import SmallHub, copy_of, founded, quiet
from havre.bootstrap.cataloguing import quality_rows
from havre.bootstrap.growing import import_schemas
from havre.bootstrap.intake import Intake, take_in
from havre.cli.main import app
from havre.domain.events import rounded_count
from havre.errors import InvalidInput, NotFound

FIRST, SECOND = "pmsi-mco-2023", "pmsi-mco-2024"
CONTRACT = """
format = "havre/v1/contract"
dataset = "pmsi-mco"
holder = "holder"
tables = [
  { name = "T_MCOaaA", presence = "optional" },
  { name = "T_MCOaaB", presence = "optional" },
  { name = "T_MCOaaC", presence = "optional" },
  { name = "T_MCOaaD", presence = "must" },
  { name = "T_MCOaaUM", presence = "optional" },
]

[[rules]]
name = "diagnoses"
level = "should"
kind = "codes"
table = "T_MCOaaD"
column = "ASS_DGN"
at_least = 1

[[rules]]
name = "acts"
level = "must"
kind = "codes"
table = "T_MCOaaA"
column = "CDC_ACT"
at_least = 1

[[rules]]
name = "stays"
level = "must"
kind = "parents"
table = "T_MCOaaD"
at_least = 0.99
"""


def write_list(folder: Path, name: str, codes: list[str]) -> None:
    folder.mkdir(exist_ok=True)
    lines = "".join(f"{code};Label of {code}\n" for code in codes)
    (folder / f"{name}.csv").write_text(f"CODE;LIB\n{lines}", encoding="utf-8")
    fields = [{"name": "CODE", "type": "string", "role": "code"}, {"name": "LIB", "role": "label"}]
    (folder / f"{name}.json").write_text(json.dumps({"fields": fields}), encoding="utf-8")


def ingest(hub: SmallHub, name: str) -> Intake:
    hub.holder().deliver([hub.deliveries / name], progress=quiet)
    return take_in(hub.open(), (), progress=quiet)


def reports(hub: SmallHub) -> dict[str, Any]:
    found = [json.loads(each.body) for each in hub.open().records.list_documents("check-report")]
    return {each["delivery"]: each for each in found}


def rows_of(delivery: Path, table: str) -> list[dict[str, str]]:
    """The lines of the delivery's one file of a table of stays: C, D and so on."""
    (path,) = delivery.glob(f"T_MCO*{table}.csv")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


def test_codes_and_parents_are_counted_as_a_count_by_hand_finds(tmp_path: Path) -> None:
    hub = copy_of(founded(), tmp_path / "root")
    hub.open().contracts.put_in_force(CONTRACT.encode())
    written = Counter(row["ASS_DGN"] for row in rows_of(hub.deliveries / FIRST, "D"))
    gone = max(set(written) - {""}, key=lambda code: written[code])
    write_list(tmp_path / "lists", "MS_CIM_V", sorted(set(written) - {"", gone}))
    write_list(tmp_path / "lists", "NOBODYS_V", ["1"])
    imported = import_schemas(hub.open(), tmp_path / "lists", dataset=None, with_snds=True)

    intake = ingest(hub, FIRST)

    assert imported == {"imported": 0, "code_lists": 1}
    assert not intake.faults
    report = reports(hub)[FIRST]
    (found,) = [each for each in report["codes"] if each["column"] == "ASS_DGN"]
    accepted = sum(each["accepted"] for each in report["files"] if each["table"] == "T_MCOaaD")
    assert (found["unknown"], found["ended"], found["empty"]) == (written[gone], 0, written[""])
    assert found["valid"] == accepted - written[gone] - written[""] > 0
    assert {each["column"] for each in intake.report()["codes"]} == {
        "ASS_DGN",
        "DGN_PAL",
        "DGN_REL",
    }
    judged = {each["name"]: each for each in report["contract"]["rules"]}
    share = found["valid"] / (found["valid"] + found["unknown"])
    assert (judged["diagnoses"]["state"], judged["diagnoses"]["measured"]) == (
        "broken",
        f"{share:.6g}",
    )
    assert judged["acts"]["state"] == "not measured"
    assert (judged["stays"]["state"], judged["stays"]["measured"]) == ("kept", "1")
    looked_up = rounded_count(sum(each["valid"] + each["unknown"] for each in report["codes"]))
    faults = rounded_count(sum(each["unknown"] for each in report["codes"]))
    label = {each["element"]: each for each in quality_rows(hub.open(), "pmsi-mco", against=None)}
    assert label["validity"]["level"] == 1
    said = 100 - 100 * faults / looked_up
    assert f"({said:.2f} % of about {looked_up} rows or codes)" in label["validity"]["evidence"]


def test_a_delivery_whose_rows_do_not_find_their_stays_is_held(tmp_path: Path) -> None:
    hub = copy_of(founded(), tmp_path)
    hub.open().contracts.put_in_force(CONTRACT.encode())
    made = corrected(hub.deliveries / SECOND, "few", lambda lines: lines[::3], corrects=None)
    stays, followers = (
        [(row["ETA_NUM"], row["RSA_NUM"]) for row in rows_of(made, table)] for table in "CD"
    )

    held = ingest(hub, "few").held["few"]

    share = sum(each in set(stays) for each in followers) / len(followers)
    assert 0 < share < 0.99
    assert f"that find the row which they follow are {share:.4g}, at least 0.99" in held.message


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('column = "CDC_ACT"', 'column = "ETA_NUM"', "which has no list of codes"),
        ('kind = "parents"\ntable = "T_MCOaaD"', 'kind = "parents"\ntable = "T_MCOaaC"',
         "whose rows follow no other table's"),
    ],
)  # fmt: skip
def test_a_rule_that_nothing_can_measure_is_refused(old: str, new: str, said: str) -> None:
    assert old in CONTRACT

    with pytest.raises(InvalidInput, match=said):
        founded().open().contracts.check(CONTRACT.replace(old, new).encode())


def test_lists_that_no_table_names_are_not_kept(tmp_path: Path) -> None:
    write_list(tmp_path / "lists", "NOBODYS_V", ["1"])

    with pytest.raises(NotFound, match="no table of the hub names one"):
        import_schemas(founded().open(), tmp_path / "lists", dataset=None, with_snds=True)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_table_of_codes_gets_their_labels_in_its_own_format(tmp_path: Path, kind: str) -> None:
    write_list(tmp_path / "lists", "MS_CIM_V", ["E119", "I500"])
    rows = pl.DataFrame({"diagnosis": ["I50.0", "E119", None, "?"], "n": ["010", "20", "30", "40"]})
    table, out = tmp_path / f"table.{kind}", tmp_path / f"labelled.{kind}"
    if kind == "csv":
        rows.write_csv(table, separator=";")
    else:
        rows.write_parquet(table)
    words = [
        "catalogue", "label", str(table), "--column", "diagnosis", "--system", "MS_CIM_V",
        "--from", str(tmp_path / "lists"), "--out", str(out), "--json",
    ]  # fmt: skip

    done = CliRunner().invoke(app, words)

    assert json.loads(done.stdout)["rows_without_label"] == 1
    labels = pl.Series("diagnosis_label", ["Label of I500", "Label of E119", None, None])
    read = (
        pl.read_csv(out, separator=";", infer_schema=False)
        if kind == "csv"
        else pl.read_parquet(out)
    )
    assert read.equals(rows.with_columns(labels))
    assert isinstance(CliRunner().invoke(app, words).exception, InvalidInput)
