"""The main job, as the README starts it: from raw files to a result that a stranger verifies."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fakes.verifier import verify

ROOT = Path(__file__).parents[2]
PEOPLE = 12_000


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo played to its end, with fewer people than the README's."""
    out = tmp_path_factory.mktemp("demo") / "stage"
    words = [str(Path(sys.executable).parent / "havre"), "demo"]
    words += ["--people", str(PEOPLE), "--out", str(out)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=ROOT, timeout=600)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return out


pytestmark = pytest.mark.integration


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
