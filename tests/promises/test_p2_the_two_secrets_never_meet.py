"""P2: what runs at the hub cannot read the holder's directory, and does its work all the same.

Whoever has the secrets of both stages can try every NIR in minutes. So in the
demo, and here, the hub's processes see an empty folder where the holder's is.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fakes.small_hub import SmallHub, copy_of, founded
from havre.cli.demo_stage import Stage

LOOK = """
import json, sys
from pathlib import Path
print(json.dumps([path.name for path in Path(sys.argv[1]).rglob("*") if path.is_file()]))
"""


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """The demo's conductor, over a hub of the tests."""
    hub = copy_of(founded(), tmp_path / "hub")
    return Stage(hub.root, Path(), Path(), Path(), 0)


def files_seen(folder: Path, *before: str) -> list[str]:
    words = [*before, sys.executable, "-I", "-c", LOOK, str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    seen: list[str] = json.loads(done.stdout)
    return sorted(seen)


def test_a_process_of_the_hub_sees_nothing_of_the_holder(stage: Stage) -> None:
    holder = stage.folder / "parties" / "holder"

    hidden = files_seen(holder, *stage._without_holder())

    assert hidden == []
    # The same look without the walls finds the secret: the test can tell.
    assert "stage-1.secret.json" in files_seen(holder)


def test_the_hub_takes_in_what_the_holder_sent_without_seeing_the_holder(stage: Stage) -> None:
    folder = SmallHub(stage.folder).deliveries / "cepidc-2024"
    sent = stage.havre("deliver", str(folder), party="holder")

    (row,) = stage.havre("ingest")["rows"]

    assert row["lines_in"] == sent["lines"]


def test_every_command_of_the_hub_runs_behind_these_walls(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[list[str]] = []

    def started_only(command: list[str], **_named: object) -> subprocess.CompletedProcess[str]:
        started.append(command)
        return subprocess.CompletedProcess(command, 0, stdout="{}")

    monkeypatch.setattr(subprocess, "run", started_only)

    for words in (("ingest",), ("extract", "p"), ("status",), ("publish",)):
        stage.havre(*words)
    stage.havre("vote", "r", "approve", party="checker-1")
    stage.havre("deliver", "folder", party="holder")

    walls = stage._without_holder()
    assert walls
    assert [command[: len(walls)] == walls for command in started] == [True] * 5 + [False]
