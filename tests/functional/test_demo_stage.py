"""What the demo starts is stopped, however it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import pytest

from fakes.processes import PARTIES
from havre.cli.demo import always_ended
from havre.cli.demo_stage import Stage
from havre.errors import InvalidInput, Refused

HAVRE = (sys.executable, "-m", "havre")
WITHIN_S = 90.0


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path: a Unix socket's has 107 bytes."""
    made = Path(mkdtemp(prefix="hv-"))
    yield made
    rmtree(made)


def stage_in(folder: Path) -> Stage:
    return Stage(folder, study=folder, environment=folder, verifier=folder, people=10_000)


def founded(stage: Stage) -> None:
    stage.havre("init", "--made-up", "--services", "--parties", str(stage.parties))


def running_below(folder: Path) -> list[int]:
    """The processes of services whose directories are below this one."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"serve" in words and any(word.startswith(bytes(folder)) for word in words):
            found.append(int(path.parent.name))
    return found


def wait_for(folder: Path, *, number: int) -> None:
    deadline = time.monotonic() + WITHIN_S
    while len(running_below(folder)) != number:
        assert time.monotonic() < deadline, running_below(folder)
        time.sleep(0.1)


def test_an_act_that_fails_leaves_no_service_behind(folder: Path) -> None:
    stage = stage_in(folder)
    founded(stage)

    served: list[int] = []

    def act() -> None:
        with always_ended(stage):
            served.extend(row["process"] for row in stage.serve(stage.hub)["services"])
            assert sorted(running_below(folder)) == sorted(served)
            stage.havre("extract", "no-such-permit")

    with pytest.raises(Refused, match="ended with 5"):
        act()

    assert len(set(served)) == len(PARTIES)
    assert running_below(folder) == []


def test_services_of_a_hub_that_moved_replace_those_before(folder: Path) -> None:
    stage = stage_in(folder)
    founded(stage)

    with always_ended(stage):
        first = {row["process"] for row in stage.serve(stage.hub)["services"]}
        second = {row["process"] for row in stage.serve(stage.hub)["services"]}
        assert set(running_below(folder)) == second
        assert not first & second


def test_a_demo_is_not_removed_while_it_is_played(folder: Path) -> None:
    first = stage_in(folder / "demo")
    first.clear()
    (folder / "demo/hub").mkdir()

    with pytest.raises(Refused, match="a demo that is played has not ended"):
        stage_in(folder / "demo").clear()
    assert (folder / "demo/hub").exists()


def test_a_demo_is_not_removed_while_its_services_run(folder: Path) -> None:
    stage = stage_in(folder / "demo")
    mark_of_one_that_ended(stage.folder)
    founded(stage)

    with always_ended(stage):
        stage.serve(stage.hub)
        with pytest.raises(Refused, match="custodian-1 has not ended"):
            stage_in(folder / "demo").clear()
    stage_in(folder / "demo").clear()

    assert [path.name for path in stage.folder.iterdir()] == [".havre-demo"]


def mark_of_one_that_ended(folder: Path) -> None:
    folder.mkdir()
    (folder / ".havre-demo").touch()


@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_demo_that_is_stopped_leaves_no_service_behind(
    folder: Path, told: signal.Signals
) -> None:
    root = Path(__file__).parents[2]
    command = [*HAVRE, "demo", "--out", str(folder / "demo")]
    with subprocess.Popen(
        command, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    ) as process:
        wait_for(folder, number=len(PARTIES))
        if told is signal.SIGINT:
            # As a terminal does it: everybody in the foreground hears it.
            os.killpg(process.pid, told)
        else:
            process.send_signal(told)
        ended = process.wait(WITHIN_S)
        wait_for(folder, number=0)

    assert ended == (-signal.SIGKILL if told is signal.SIGKILL else 130)


def test_a_folder_too_deep_for_sockets_is_refused_before_anything_is_made(folder: Path) -> None:
    deep = folder / ("a" * 60) / "demo"
    done = subprocess.run(
        [*HAVRE, "demo", "--out", str(deep), "--json"], capture_output=True, text=True, check=False
    )

    assert done.returncode == InvalidInput.exit_code
    assert "107 bytes" in json.loads(done.stdout)["error"]["message"]
    assert not deep.exists()
