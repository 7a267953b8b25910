"""The main job, as the README starts it: from raw files to a result that a stranger verifies."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fakes.processes import PARTIES
from fakes.verifier import verify
from havre.domain.drills import Verdict

ROOT = Path(__file__).parents[2]
HAVRE = str(Path(sys.executable).parent / "havre")
PEOPLE = 12_000


@dataclass(frozen=True)
class Played:
    """A demo played to its end: where, what it said of itself, and what it told meanwhile."""

    stage: Path
    outcome: dict[str, Any]
    told: str


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """With fewer people than the README's."""
    out = tmp_path_factory.mktemp("demo") / "stage"
    words = [HAVRE, "demo", "--people", str(PEOPLE), "--out", str(out), "--json"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=ROOT, timeout=900)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return Played(out, json.loads(done.stdout), done.stderr)


@pytest.fixture(scope="module")
def stage(played: Played) -> Path:
    return played.stage


pytestmark = pytest.mark.integration


def is_running(process: int) -> bool:
    try:
        return "serve" in Path(f"/proc/{process}/cmdline").read_text()
    except OSError:
        return False


def test_custodians_and_witnesses_are_processes_of_their_own(played: Played) -> None:
    rows = played.outcome["services"]

    assert [row["party"] for row in rows] == list(PARTIES)
    assert len({row["process"] for row in rows}) == len(PARTIES)
    assert all(row["holds"]["key_shares"] > 100 for row in rows[:4])
    assert all(row["holds"]["log_head"] > 100 for row in rows[4:])
    for row in rows:
        acts = (played.stage / "parties" / row["party"] / "service.jsonl").read_text()
        assert '"answered"' in acts


def test_none_of_them_runs_when_the_demo_has_ended(played: Played) -> None:
    assert not any(is_running(row["process"]) for row in played.outcome["services"])
    assert not list(played.stage.glob("parties/*/*.sock"))


def test_it_ends_with_the_exposure_of_the_hub_as_it_is_set_up(played: Played) -> None:
    command = [HAVRE, "exposure", "--hub", str(played.stage / "hub-2"), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert played.outcome["exposure"]["matrix"] == json.loads(done.stdout)["matrix"]
    # On one machine nothing is separated, and that is what it says.
    (base,) = [row for row in played.outcome["exposure"]["matrix"] if row["message"] == "base"]
    assert "this-machine" in base["alone"]
    assert "Everything is on one machine here" in " ".join(played.told.split())


def test_it_ends_with_two_drills_whose_receipts_are_public(played: Played) -> None:
    site = played.stage / "hub-2/site"

    assert [ran["drill"] for ran in played.outcome["drills"]] == ["subpoena", "fork"]
    for ran in played.outcome["drills"]:
        assert ran["verdict"] == Verdict.HELD.value
        assert (site / "drills" / f"{ran['receipt_sha256']}.json").is_file()
        assert ran["receipt_sha256"][:12] in played.told
    trust = played.stage / "parties/researcher/trust.json"
    found = verify(site, "--trust", trust, "--max-age", 900)
    assert "2 receipts of drills, judged anew" in found.stdout


def test_the_public_site_shows_the_matrix_and_the_drills(stage: Path) -> None:
    pages = stage / "hub-2/site/en"
    checked = subprocess.run(
        [sys.executable, "-I", str(ROOT / "tools/check_exposure.py"), "exposure/certificate.json"],
        cwd=stage / "hub-2/site",
        check=False,
    )

    assert checked.returncode == 0
    assert "This machine" in (pages / "exposure.html").read_text()
    drills = (pages / "drills.html").read_text()
    assert drills.count("held") >= 2


def test_both_hubs_show_a_stranger_a_record_that_verifies(stage: Path) -> None:
    for hub in ("hub", "hub-2"):
        trust = stage / "parties/researcher/trust.json"
        found = verify(stage / hub / "site", "--trust", trust, "--max-age", 900)
        assert found.returncode == 0, found.stdout
        assert "NOT CHECKED" not in found.stdout


def test_every_line_is_accounted_for(stage: Path) -> None:
    rows = json.loads((stage / "ingest.json").read_text())
    lines = sum(each["lines"] for each in rows)
    accepted = sum(each["accepted"] for each in rows)
    aside = [
        sum(each[where].values())
        for each in rows
        for where in ("set_aside_at_the_holder", "set_aside_at_the_hub")
    ]

    assert lines == accepted + sum(aside)
    assert lines > 500_000
    assert sum(aside) > 0


def test_the_second_hub_released_the_same_bytes(stage: Path) -> None:
    def released(hub: str) -> list[dict[str, bytes]]:
        folders = sorted((stage / hub / "site/releases").iterdir())
        return [
            {path.name: path.read_bytes() for path in folder.iterdir() if "crate" not in path.name}
            for folder in folders
        ]

    (first,) = released("hub")
    assert len(first) == 4
    assert all(each == first for each in released("hub-2"))


def test_the_study_finds_what_is_true_of_the_made_up_people(stage: Path) -> None:
    """More diabetes in the north than around Paris, and deaths after heart failure."""
    (released,) = sorted((stage / "hub/site/releases").iterdir())
    rows = (released / "diabetes-by-region.csv").read_text().splitlines()
    rates = {row.split(",")[0]: float(row.split(",")[3]) for row in rows[1:]}
    alive = float((released / "survival.csv").read_text().splitlines()[-1].split(",")[3])

    assert rates["Hauts-de-France"] > rates["Île-de-France"] > 0
    assert 0.5 < alive < 0.9
