"""`havre exposure` on a real hub, on the deployments that come with it, and on files of anybody's."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fakes.departed import moving, opened_at
from fakes.exposure_checker import FOLLOWS, run_checker
from fakes.exposures import REFERENCES
from fakes.small_hub import SmallHub, copy_of, founded, granted, ingested
from havre.bootstrap.exposing import (
    derive_exposure,
    list_placed_parties,
    list_references,
    read_set_up,
)
from havre.bootstrap.hub import OpenHub
from havre.cli import main
from havre.domain.exposure.hub import THIS_HOUSE, UNSTATED_MAKERS
from havre.domain.exposure.verdicts import Analysis
from havre.domain.service_address import ServiceAddress
from havre.values import PartitionKind

Run = Callable[..., tuple[int, str]]
SHEET = """
format = "havre/v1/host-sheet"
operator = "this-machine"
title = "The demonstration's machine"
[evidence]
grade = "E1"
date = 2026-11-01
source = "Its owner says so"
[seat]
country = "FR"
[[parents]]
name = "owner"
country = "FR"
share = 100
ultimate = true
[[qualifications]]
name = "HDS"
scope = "Hosting"
from = 2020-01-01
until = 2021-01-01
[does]
parts = ["store", "machines", "custodian", "witness", "holder", "authority"]
"""


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Give a command; its exit code, and what it said."""
    monkeypatch.setattr(main, "keep_memory_private", lambda: None)
    monkeypatch.setenv("COLUMNS", "120")

    def give(*words: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["havre", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            main.run()
        said = capsys.readouterr()
        return int(end.value.code or 0), said.out or said.err

    return give


def answered(run: Run, *words: object) -> Any:
    code, said = run("exposure", *words, "--json")
    assert code == 0, said
    return json.loads(said)


def verdict(report: Any, message: str, law: str, mode: str) -> tuple[str, int | None]:
    (row,) = [row for row in report["matrix"] if row["message"] == message]
    cell = row["answers"][law][mode]
    return cell["verdict"], cell["margin"]


@pytest.fixture
def hub(tmp_path: Path) -> SmallHub:
    return copy_of(founded(), tmp_path / "hub")


def test_every_reference_deployment_comes_with_the_package_and_can_be_asked(run: Run) -> None:
    assert tuple(list_references()) == REFERENCES
    for name in REFERENCES:
        assert answered(run, "--deployment", name)["deployment"] == name


def test_the_hub_itself_is_asked_and_one_machine_counts_as_one_operator(
    run: Run, hub: SmallHub
) -> None:
    report = answered(run, "--hub", hub.hub)

    assert set(report["operators"]) == {THIS_HOUSE, UNSTATED_MAKERS}
    assert report["unstated"] == [THIS_HOUSE]
    assert verdict(report, "base", "US", "passive") == ("not excluded", 0)
    assert report["kill_margin"] == 0


def test_a_fact_sheet_in_the_hubs_hosts_folder_is_joined(run: Run, hub: SmallHub) -> None:
    (hub.hub / "hosts").mkdir()
    (hub.hub / "hosts" / "machine.toml").write_text(SHEET)

    report = answered(run, "--hub", hub.hub)

    assert report["unstated"] == []
    assert report["operators"]["this-machine"] == "The demonstration's machine"
    assert verdict(report, "base", "US", "passive") == ("not derivable", 1)
    assert verdict(report, "base", "FR", "passive") == ("derivable", 0)
    assert report["warnings"] == [
        "The demonstration's machine: HDS (Hosting): ended, until 2021-01-01."
    ]


@pytest.mark.parametrize(
    ("host", "apart"),
    [
        ("keys.hospital.example", True),
        ("192.0.2.7", True),
        ("2001:db8::7", True),
        ("", False),
        ("localhost", False),
        ("127.0.0.1", False),
        ("::1", False),
    ],
)
def test_only_an_address_on_another_host_sets_a_party_apart(host: str, apart: bool) -> None:
    """A directory and a socket are in the hands of whoever runs the machine."""
    opened = OpenHub(founded().hub)
    answering = ServiceAddress("custodian-1", socket="" if host else "a.sock", host=host)
    others = opened.place.custodians[1:]
    opened.place = replace(opened.place, custodians=(answering, *others))

    placed = {each.name: each.apart for each in list_placed_parties(opened)}

    assert {name for name, elsewhere in placed.items() if elsewhere} == (
        {"custodian-1"} if apart else set()
    )


def test_a_store_is_of_the_host_that_the_hubs_file_names(run: Run, hub: SmallHub) -> None:
    told = """
[[stores]]
name = "cellar"
path = "store"
[[stores]]
name = "cloud"
host = "some-cloud"
url = "s3://lake/one"
endpoint = "https://s3.some-cloud.example"
[[stores]]
name = "attic"
url = "s3://lake/two"
endpoint = "https://s3.elsewhere.example"
"""
    with (hub.hub / "havre.toml").open("a") as file:
        file.write(told)
    (hub.hub / "hosts").mkdir()
    cloud = SHEET.replace("this-machine", "Some Cloud Inc").replace('"FR"', '"US"', 1)
    (hub.hub / "hosts" / "some-cloud.toml").write_text(cloud)
    (hub.hub / "hosts" / "machine.toml").write_text(SHEET)

    report = answered(run, "--hub", hub.hub)

    assert {"some-cloud-inc", "host-of-attic", THIS_HOUSE} <= set(report["operators"])
    assert report["unstated"] == ["host-of-attic"]
    assert verdict(report, "metadata", "US", "passive") == ("derivable", 0)
    assert verdict(report, "base", "US", "passive") == ("not derivable", 1)


def test_what_is_wrong_in_two_sheets_is_told_of_both(run: Run, hub: SmallHub) -> None:
    (hub.hub / "hosts").mkdir()
    (hub.hub / "hosts" / "a.toml").write_text(SHEET.replace("E1", "E9"))
    (hub.hub / "hosts" / "b.toml").write_text(SHEET.replace("share = 100", "share = -1"))

    code, said = run("exposure", "--hub", hub.hub)

    assert code == 2
    assert "wrong in a.toml" in said
    assert "wrong in b.toml" in said


def test_two_sheets_of_one_operator_are_refused(run: Run, hub: SmallHub) -> None:
    (hub.hub / "hosts").mkdir()
    for name in ("a", "b"):
        (hub.hub / "hosts" / f"{name}.toml").write_text(SHEET)

    code, said = run("exposure", "--hub", hub.hub)

    assert code == 2
    assert "Two fact sheets are of this-machine" in said


def test_what_the_log_says_was_opened_counts() -> None:
    fresh = read_set_up(founded().open(), sheets={})
    taken_in = read_set_up(ingested().open(), sheets={})
    extracted = read_set_up(granted().open(), sheets={})

    assert fresh.opened == {}
    assert fresh.made[PartitionKind.SECRET] == 1
    assert taken_in.opened[PartitionKind.SECRET] == 1
    assert taken_in.opened[PartitionKind.LANDING] > 0
    assert taken_in.opened[PartitionKind.DATASET] == 0
    assert extracted.opened[PartitionKind.DATASET] > 0


def test_after_an_ingest_deliveries_are_asked_about_and_after_an_extract_what_was_opened() -> None:
    asked = [
        {each.name for each in derive_exposure(hub.open()).deployment.messages}
        for hub in (founded(), ingested(), granted())
    ]

    assert asked[1] - asked[0] == {"deliveries"}
    assert asked[2] - asked[1] == {"opened"}


def test_the_hubs_certificate_follows_from_the_facts_that_are_written_beside_it(
    run: Run, tmp_path: Path
) -> None:
    code, said = run(
        "exposure",
        "--hub",
        granted().hub,
        "--certificate",
        tmp_path / "c",
        "--facts",
        tmp_path / "f",
    )

    assert code == 0
    assert "python3 tools/check_exposure.py c" in said
    done = run_checker(tmp_path / "c", "--facts", tmp_path / "f")
    assert done.returncode == FOLLOWS, done.stdout


def test_a_what_if_changes_the_answer_and_is_named(run: Run) -> None:
    before = answered(run, "--deployment", "b1")
    after = answered(run, "--deployment", "b1", "--acquired", "store-a=US", "--acquired", "hub=US")

    assert verdict(before, "base", "US", "passive") == ("not derivable", 3)
    assert verdict(after, "base", "US", "passive") == ("not derivable", 1)
    assert after["supposed"] == ["taken over: store-a=US", "taken over: hub=US"]
    ungated = answered(run, "--deployment", "b1", "--ungated")
    assert verdict(ungated, "working-set", "US", "active") == ("derivable", 0)


def test_a_law_that_a_what_if_brings_is_asked_about(run: Run) -> None:
    report = answered(run, "--deployment", "b1", "--acquired", "store-a=CN")

    assert verdict(report, "metadata", "CN", "passive") == ("derivable", 0)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "Nothing was named to be analysed"),
        (("--deployment", "z9"), 5, "These come with Havre: a0, a1"),
        (("--deployment", "b1", "--acquired", "nobody=US"), 5, "These are there: store-a"),
        (("--deployment", "b1", "--acquired", "store-a"), 2, "not spelled like store-a=US"),
        (("--deployment", "b1", "--acquired", "store-a=us"), 2, "A law is not spelled like"),
        (("--deployment", "b1", "--explain", "base"), 2, "not spelled like base:US:active"),
        (("--deployment", "b1", "--explain", "base:XX:active"), 5, "Laws: US, FR, DE."),
    ],
)
def test_a_careless_question_is_answered_with_what_there_is(
    run: Run, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], code: int, said: str
) -> None:
    monkeypatch.delenv("HAVRE_HUB", raising=False)

    ended, told = run("exposure", *words)

    assert ended == code
    assert said in told


def test_why_something_is_derivable_is_told_step_by_step(run: Run) -> None:
    _, said = run("exposure", "--deployment", "a0", "--explain", "base:US:passive")

    assert "derivable under the stated facts (weakest fact E1)" in said
    assert "1. msft stands under the law." in said
    assert "2. msft controls msft-ie (100 %)." in said
    assert "3. msft-ie hosts a system in which base is in clear." in said


def test_what_is_missing_for_a_derivation_is_told(run: Run) -> None:
    _, said = run("exposure", "--deployment", "b2", "--explain", "base:US:active")

    flat = " ".join(said.split())
    assert "not derivable under the stated facts, 2 takeovers away" in flat
    assert "nothing more follows" in flat
    assert "share/hub, share/cnam are shares enough: key-of-keys." in flat


def test_the_screen_says_derivable_and_never_compliant(run: Run, hub: SmallHub) -> None:
    for words in (("--deployment", "b2"), ("--hub", str(hub.hub))):
        code, said = run("exposure", *words)

        assert code == 0
        assert "not derivable" in said
        assert "Nothing is said of copies that no fact names." in said
        assert "complian" not in said.lower()
        assert "legal" not in said.lower()


def test_a_deployment_of_ones_own_is_read_and_all_its_faults_are_told(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "mine.toml").write_text(
        'format = "havre/v1/deployment"\nname = "mine"\ntitle = "Mine"\ncolour = 1\n'
        '[[operators]]\nname = "Host"\n[[messages]]\nname = "base"\nkind = "x"\ntitle = "B"\n'
    )

    code, said = run("exposure", "--deployment", tmp_path / "mine.toml")

    assert code == 2
    for fault in ("name holds something else", "no grade", "kind is none of", "'colour'"):
        assert fault.split()[0] in said
    assert "things are wrong in the deployment file" in said


def test_sheets_are_checked_before_they_are_put_to_use(run: Run, tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(SHEET)

    code, said = run("host", "check", tmp_path / "s.toml")

    assert code == 0
    assert "HDS, Hosting: ended, until 2021-01-01" in said
    assert "thresholds of SecNumCloud 19.6.b within" in said


def test_fact_sheets_leave_with_the_hub_but_that_of_the_machine_it_left(tmp_path: Path) -> None:
    """What was stated of the old machine is no fact of the new one."""
    leaving = copy_of(founded(), tmp_path / "old")
    other = SHEET.replace("this-machine", "House of custodians").replace(
        '"store", "machines", ', ""
    )
    (leaving.hub / "hosts").mkdir()
    (leaving.hub / "hosts" / "machine.toml").write_text(SHEET)
    (leaving.hub / "hosts" / "other.toml").write_text(other)
    assert THIS_HOUSE not in derive_exposure(OpenHub(leaving.hub)).unstated

    move = moving(leaving)
    opened_at(move)

    arrived = {path.name: path.read_text() for path in (move.new / "hosts").iterdir()}
    assert arrived == {"other.toml": other}
    assert THIS_HOUSE in derive_exposure(OpenHub(move.new)).unstated


def test_a_drill_can_ask_what_some_operators_obtain() -> None:
    analysis = Analysis(derive_exposure(granted().open()).deployment)

    from havre.domain.exposure.clauses import Mode

    predicted = analysis.closing.obtain([THIS_HOUSE], mode=Mode.PASSIVE)
    assert {"base", "second-secret", "identities"} <= predicted
    nobody = analysis.closing.obtain([], mode=Mode.ACTIVE)
    assert nobody == {"log", "enc(first-secret,enc(second-secret,identities))"}
