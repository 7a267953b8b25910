"""P3 across processes: lists and ends, where every custodian and witness is a program of its own.

What a hub asks for a list (the delivery's keys, the second secret), for an extract
(the register's keys) and at a permit's end (that shares be destroyed) goes over sockets.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes.opposing import objectors_file
from fakes.processes import ServedHub, served_hub
from fakes.small_hub import PERMIT_NAME, quiet
from fakes.verifier import GENUINE, verify
from havre.bootstrap.synthetic import write_synthetic
from havre.cli.demo_texts import PERMIT
from havre.domain.clock_events import ProjectDeleted
from havre.domain.events import ExtractMade, events_of
from havre.domain.key_events import ErasureOrdered, KeysErased
from havre.domain.opposition_events import OppositionsUpdated
from promises.test_p3_the_minimum import opened_extract


def havre(*words: object) -> tuple[int, Any]:
    """A command as a process of its own; what it shows, or why not."""
    command = [sys.executable, "-m", "havre", *map(str, words), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    return done.returncode, json.loads(done.stdout)


@pytest.fixture(scope="module")
def served() -> Iterator[ServedHub]:
    """With data, and a permit in force."""
    with served_hub() as running:
        small = running.hub
        write_synthetic(
            small.root / "files", people=300, first_year=2023, years=1, seed=5, progress=quiet
        )
        small.holder().deliver(sorted(small.deliveries.iterdir()), progress=quiet)
        code, _ = havre("ingest", "--hub", small.hub)
        assert code == 0
        small.ask(PERMIT.format(environment="a" * 64))
        yield running


def send(served: ServedHub, file: Path) -> int:
    words = ("--party", served.hub.parties / "holder", "--hub", served.hub.hub)
    code, _ = havre("opposition", "deliver", file, "--every-hours", 0, *words)
    return code


def events(served: ServedHub) -> list[Any]:
    return [logged.event for logged in served.open().log.entries()]


def test_a_list_comes_in_and_counts_over_sockets(served: ServedHub, tmp_path: Path) -> None:
    small = served.hub
    small.open().extraction.extract(PERMIT_NAME)
    before = opened_extract(small)["IR_BEN_R"].height
    rows = (next(small.deliveries.glob("*/IR_BEN_R.csv"))).read_text().splitlines()
    names = rows[0].split(";")
    listed = [dict(zip(names, row.split(";"), strict=False)) for row in rows[1:60]]
    file = tmp_path / "who.csv"
    file.write_bytes(
        objectors_file(
            {f"case {n}": {"BEN_NIR_PSA": row["BEN_NIR_PSA"]} for n, row in enumerate(listed)}
        )
    )
    sent = send(served, file)
    received, told = havre("opposition", "receive", "--hub", small.hub)
    extracted, _ = havre("extract", PERMIT_NAME, "--hub", small.hub)

    assert (sent, received, extracted) == (0, 0, 0)
    (taken,) = told["taken_in"]
    made = events_of(events(served), ExtractMade)
    assert [each.oppositions for each in made] == [None, {"holder": taken["root"]}]
    assert opened_extract(small)["IR_BEN_R"].height < before - 20


def test_too_few_custodians_keep_a_list_out_and_lose_nothing(
    served: ServedHub, tmp_path: Path
) -> None:
    small, file = served.hub, tmp_path / "nobody.csv"
    file.write_bytes(objectors_file({}))
    before = len(events_of(events(served), OppositionsUpdated))
    assert send(served, file) == 0
    served.kill("custodian-1", "custodian-2")
    refused, told = havre("opposition", "receive", "--hub", small.hub)
    between = len(events_of(events(served), OppositionsUpdated))
    served.start("custodian-1", "custodian-2")
    code, _ = havre("opposition", "receive", "--hub", small.hub)

    assert refused == 3
    assert "1 custodians answered, 2 are needed" in json.dumps(told)
    assert between == before
    assert code == 0
    assert len(events_of(events(served), OppositionsUpdated)) == before + 1


def test_a_revoked_project_is_deleted_over_sockets_when_enough_custodians_are_there(
    served: ServedHub,
) -> None:
    small = served.hub
    revoked, told = havre(
        "permit", "revoke", PERMIT_NAME, "--reason", "a breach",
        "--party", small.parties / "authority-1", "--hub", small.hub,
    )  # fmt: skip
    served.kill("custodian-3")
    waits, first = havre("clock", "run", "--hub", small.hub)
    served.start("custodian-3")
    code, second = havre("clock", "run", "--hub", small.hub)
    again, third = havre("clock", "run", "--hub", small.hub)

    assert (revoked, told["state"]) == (0, "revoked")
    assert waits == 6
    (missing,) = [each for each in first["waits"] if each["term"] == "project-deleted"]
    assert "custodian-3" in missing["why"]
    assert code == again == 0
    assert {each["term"] for each in second["did"]} >= {"project-deleted", "decision-published"}
    assert third["did"] == []
    counted = [
        len(events_of(events(served), kind))
        for kind in (ErasureOrdered, KeysErased, ProjectDeleted)
    ]
    assert counted == [1, 1, 1]
    trust = small.parties / "authority-1/trust.json"
    found = verify(small.hub / "site", "--trust", trust)
    assert found.returncode == GENUINE, found.stdout
