"""P7 with contracts: a delivery that breaks a must rule is held whole, and the version is made of the others."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

from fakes.correcting import corrected
from fakes.small_hub import SmallHub, copy_of, founded, quiet
from havre.application.ingest_attempts import ContractBroken
from havre.bootstrap.intake import Intake, take_in
from havre.domain.events import DeliveryChecked, VersionPublished, events_of
from havre.errors import InvalidInput, NotFound

FIRST, SECOND = "pmsi-mco-2023", "pmsi-mco-2024"
CONTRACT = """
format = "havre/v1/contract"
dataset = "pmsi-mco"
holder = "holder"

[[tables]]
name = "T_MCOaaA"
presence = "must"

[[tables]]
name = "T_MCOaaB"
presence = "must"

[[tables]]
name = "T_MCOaaC"
presence = "must"

[[tables]]
name = "T_MCOaaD"
presence = "optional"

[[tables]]
name = "T_MCOaaUM"
presence = "optional"

[[rules]]
name = "stays"
level = "must"
kind = "rows"
table = "T_MCOaaC"
at_least = 0.5
at_most = 2

[[rules]]
name = "aside"
level = "must"
kind = "set-aside"
table = "T_MCOaaC"
at_most = 0.2

[[rules]]
name = "diagnosis"
level = "should"
kind = "values"
table = "T_MCOaaD"
column = "ASS_DGN"
at_least = 1
values = ["E119"]
"""


@cache
def agreed() -> SmallHub:
    """A hub with a contract for one source, made once per process."""
    hub = copy_of(founded(), Path(mkdtemp(prefix="havre-agreed-")))
    hub.open().contracts.put_in_force(CONTRACT.encode())
    return hub


def ingest(hub: SmallHub, *names: str) -> Intake:
    hub.holder().deliver([hub.deliveries / name for name in names], progress=quiet)
    return take_in(hub.open(), (), progress=quiet)


def half_gone(lines: list[str]) -> list[str]:
    return lines[: len(lines) // 3]


def reports(hub: SmallHub) -> dict[str, Any]:
    found = [json.loads(each.body) for each in hub.open().records.list_documents("check-report")]
    return {each["delivery"]: each for each in found}


def test_a_delivery_as_agreed_comes_in_and_its_report_names_the_contract(tmp_path: Path) -> None:
    hub = copy_of(agreed(), tmp_path)

    intake = ingest(hub, FIRST)

    assert not intake.faults
    (contract,) = hub.open().contracts.in_force()
    said = reports(hub)[FIRST]
    assert said["contract"]["sha256"] == contract.sha256
    states = {each["name"]: each["state"] for each in said["contract"]["rules"]}
    assert states["table T_MCOaaA"] == "kept"
    assert states["stays"] == "not measured"
    assert states["diagnosis"] == "broken"
    assert "codes" not in said
    assert [each["name"] for each in intake.report()["contracts"] if each["state"] == "broken"] == [
        "diagnosis"
    ]


def test_a_delivery_that_breaks_a_must_rule_is_held_and_the_others_come_in(tmp_path: Path) -> None:
    """As if the held one had never come: its keys set nothing of the others aside."""
    hub = copy_of(agreed(), tmp_path)
    ingest(hub, FIRST)
    corrected(hub.deliveries / SECOND, "few", half_gone, corrects=None)

    intake = ingest(hub, "few", SECOND)

    assert list(intake.held) == ["few"]
    assert isinstance(intake.held["few"], ContractBroken)
    assert "rows of T_MCOaaC against the delivery before are 0" in intake.held["few"].message
    assert {each.delivery for report in intake.done for each in report.files} == {SECOND}
    assert not any(each.checked.set_aside for report in intake.done for each in report.files)
    events = [each.event for each in hub.open().log.entries()]
    outcomes = {each.delivery: each.outcome for each in events_of(events, DeliveryChecked)}
    assert outcomes == {FIRST: "accepted", "few": "held", SECOND: "accepted"}
    assert len(events_of(events, VersionPublished)) == 2


def test_the_days_that_a_delivery_covers_are_judged(tmp_path: Path) -> None:
    hub = copy_of(founded(), tmp_path)
    text = CONTRACT.replace("\n[[tables]]", "schema_years = [2024]\n\n[[tables]]", 1)
    hub.open().contracts.put_in_force(text.encode())
    for name, year in (("late", 2023), ("timely", 2024)):
        days = f"{{ first_day = {year}-01-01, last_day = {year}-12-31 }}"
        corrected(hub.deliveries / SECOND, name, corrects=None, covers=days)

    assert [each.message for each in ingest(hub, "late").faults] == [
        "Delivery late breaks its contract: it covers 2023, not agreed."
    ]
    assert ingest(hub, "timely").faults == []


def test_where_every_delivery_is_held_there_is_no_new_version(tmp_path: Path) -> None:
    hub = copy_of(agreed(), tmp_path)
    ingest(hub, FIRST)
    corrected(hub.deliveries / SECOND, "few", half_gone, corrects=None)

    intake = ingest(hub, "few")

    assert intake.done == []
    events = [each.event for each in hub.open().log.entries()]
    assert len(events_of(events, VersionPublished)) == 1
    assert events_of(events, DeliveryChecked)[-1].rows_accepted == 0
    assert take_in(hub.open(), (), progress=quiet).faults == []


def test_what_was_held_is_mended_by_a_correction(tmp_path: Path) -> None:
    hub = copy_of(agreed(), tmp_path)
    ingest(hub, FIRST)
    corrected(hub.deliveries / SECOND, "few", half_gone, corrects=None)
    ingest(hub, "few")
    corrected(hub.deliveries / SECOND, "mended", corrects="few")

    intake = ingest(hub, "mended")

    assert not intake.faults
    (change,) = intake.changes
    assert all(each["rows_before"] == 0 for each in change["tables"])
    assert all(each["added"] == each["rows_after"] for each in change["tables"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace("T_MCOaaA", "T_MCOaaX"), "has no table T_MCOaaX"),
        (lambda text: text.replace('"holder"', '"someone"'), "know no holder someone"),
        (lambda text: text.replace('"pmsi-mco"', '"nothing"'), "no table of dataset nothing"),
    ],
)
def test_a_contract_that_does_not_fit_the_hub_is_not_kept(
    change: Callable[[str], str], said: str
) -> None:
    hub = founded().open()

    with pytest.raises(InvalidInput, match=said):
        hub.contracts.put_in_force(change(CONTRACT).encode())
    assert hub.contracts.in_force() == []
    with pytest.raises(NotFound):
        hub.contracts.text("0" * 64)
