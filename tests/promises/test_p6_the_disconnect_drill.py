"""P6: a hub needs nobody outside: cut off from every network it does all its work, for months.

The drill is held as it is, and then with something broken on purpose: it must say so.
Where a machine gives no network namespace the criteria are not run, never held.
"""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from fakes.parties import SetClock
from fakes.small_hub import ENVIRONMENT, environment
from havre.adapters.channel.certificates import make_identity, read_certificates
from havre.adapters.machine.apart import Apart, inspect_apart
from havre.bootstrap.drills import disconnect as drill
from havre.bootstrap.drills.disconnect import Supplies, disconnect
from havre.bootstrap.drills.stage import Stage
from havre.bootstrap.founding import give_mandate
from havre.bootstrap.hub import OpenHub
from havre.domain.drill_receipt import DrillRun
from havre.domain.drills import Verdict
from havre.domain.rehearsals import DRILLS, DrillName

SEED = "0123456789abcdef" * 2
needs_namespace = pytest.mark.skipif(
    not inspect_apart().off_network, reason="this machine gives no network namespace"
)


@cache
def held() -> DrillRun:
    environment()
    return disconnect(SEED, supplies=Supplies(environment=ENVIRONMENT))


def failed(run: DrillRun) -> set[str]:
    return {each.criterion.name for each in run.judged if each.held is False}


@needs_namespace
def test_cut_off_a_hub_does_all_its_work_for_ninety_days_and_calls_nobody() -> None:
    run = held()

    assert failed(run) == set()
    assert run.details["failures"] == {}
    assert run.observed["calls"] == 0
    assert run.observed["calls-noticed"] == 3
    assert run.not_run == {"install-failed": "no folder of wheels was named (--wheels)"}
    assert run.verdict is Verdict.INCOMPLETE


@needs_namespace
def test_days_that_nobody_waited_for_are_said_to_be_simulated() -> None:
    simulated = {each.criterion.name for each in held().judged if each.criterion.simulated}

    assert simulated == {"failed-7-days", "failed-90-days", "behind"}
    assert held().counters["simulated_days"] == 90


# ------------------------------------------------------------ something broken on purpose


def lose_two_witnesses(stage: Stage) -> None:
    """Two of four are gone: no act gets its quorum."""
    for name in ("witness-1", "witness-2"):
        shutil.rmtree(stage.parties / name)


def call_a_witness_abroad(stage: Stage) -> None:
    """One witness answers only over the network; the hub goes on without it, and has called out."""
    now = datetime.now(UTC)
    identity = stage.hub / "party" / "tls" / "identity.pem"
    make_identity(identity, name="hub", begins_at=now, days=30)
    peers = stage.hub / "party" / "peers"
    peers.mkdir()
    theirs = stage.root / "theirs.pem"
    make_identity(theirs, name="witness-2", begins_at=now, days=30)
    (peers / "witness-2.pem").write_text(read_certificates(theirs)[0].pem)
    place = stage.hub / "havre.toml"
    text = place.read_text()
    assert "../parties/witness-2" in text
    place.write_text(text.replace("../parties/witness-2", "https://witness-2@192.0.2.7:7443"))


def burn_a_copy(stage: Stage) -> None:
    """A custodian whose copy of the log takes nothing more."""
    tiles = stage.parties / "custodian-3" / "mirror" / "log" / "tile"
    shutil.rmtree(tiles)
    tiles.write_text("no folder any more")


def lose_a_second_authority(stage: Stage) -> None:
    """Nobody is there to sign permits, at the beginning and at the end."""
    shutil.rmtree(stage.parties / "authority-2")


def mandate_of_long_ago(stage: Stage) -> None:
    """The mandate for ingestion was signed 85 days ago, and nobody signs another in time."""
    past = SetClock(datetime.now(UTC) - timedelta(days=85))
    for newer in stage.parties.glob("custodian-*/mandate.json"):
        newer.unlink()
    datasets = ("beneficiaires", "dcir")
    give_mandate(OpenHub(stage.hub, clock=past), stage.token("controller"), datasets)


@needs_namespace
@pytest.mark.parametrize(
    ("spoil", "criteria"),
    [
        (lose_two_witnesses, {"failed-cut-off", "failed-7-days", "failed-90-days"}),
        (call_a_witness_abroad, {"calls"}),
        (lose_a_second_authority, {"failed-cut-off", "failed-90-days"}),
        (mandate_of_long_ago, {"failed-7-days"}),
    ],
)
def test_what_is_broken_is_found(spoil: Callable[[Stage], None], criteria: set[str]) -> None:
    run = disconnect(SEED, supplies=Supplies(), spoil=spoil)

    assert run.verdict is Verdict.FAILED
    assert failed(run) >= criteria


# ------------------------------------------------------------ what a machine does not allow


@pytest.mark.parametrize("words", [(), ("/usr/bin/env", "--")], ids=["refuses", "pretends"])
def test_without_a_namespace_nothing_is_said_to_have_held(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that only pretends to cut the network is found out by the story itself."""
    apart = replace(inspect_apart(), off_network=words)
    monkeypatch.setattr(drill, "inspect_apart", lambda: apart)

    run = disconnect(SEED, supplies=Supplies())

    assert run.verdict is Verdict.INCOMPLETE
    assert run.observed == {}
    assert run.counters == {"simulated_days": 0}
    assert set(run.not_run) == {each.name for each in DRILLS[DrillName.DISCONNECT].criteria}


@needs_namespace
def test_without_a_study_environment_not_all_is_tried_and_a_burnt_copy_is_found(
    tmp_path: Path,
) -> None:
    run = disconnect(SEED, supplies=Supplies(environment=tmp_path / "none"), spoil=burn_a_copy)

    assert "functions" in run.not_run
    assert failed(run) == {"behind"}


# ------------------------------------------------------------ an install from wheels


def wheel(folder: Path, name: str) -> str:
    """Make a wheel with one module; returns its line for a lock file."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-1.0-py3-none-any.whl"
    facts = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", "there = True\n")
        archive.writestr(
            f"{facts}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
        )
        archive.writestr(
            f"{facts}/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr(f"{facts}/RECORD", f"{name}.py,,\n{facts}/METADATA,,\n{facts}/WHEEL,,\n")
    return f"{name}==1.0 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


def install(tmp_path: Path, apart: Apart | None = None) -> int | str:
    supplies = Supplies(wheels=tmp_path / "wheels", lock=tmp_path / "lock.txt")
    return drill._install(tmp_path / "installed", supplies, apart or inspect_apart())


@needs_namespace
def test_packages_are_installed_from_wheels_without_a_network(tmp_path: Path) -> None:
    (tmp_path / "lock.txt").write_text(wheel(tmp_path / "wheels", "havre_rehearsed"))

    assert install(tmp_path) == 0
    assert (tmp_path / "installed" / "havre_rehearsed.py").exists()


@needs_namespace
def test_a_wheel_that_is_missing_or_another_fails_the_install(tmp_path: Path) -> None:
    line = wheel(tmp_path / "wheels", "havre_rehearsed")
    (tmp_path / "lock.txt").write_text(line + line.replace("havre_rehearsed", "not_there"))
    missing = install(tmp_path)
    digest = base64.b16encode(hashlib.sha256(b"another").digest()).decode().lower()
    (tmp_path / "lock.txt").write_text(f"havre_rehearsed==1.0 --hash=sha256:{digest}\n")

    assert (missing, install(tmp_path)) == (1, 1)


# ------------------------------------------------------------ counting


_COUNT = """
import json
from havre.adapters.machine.network import *
cut_off = is_cut_off()
raise_loopback()
before = count_calls()
planted = call_out_on_purpose()
print(json.dumps([cut_off, planted, count_calls() - before]))
"""


@needs_namespace
def test_the_kernel_counts_each_way_of_calling_out() -> None:
    words = inspect_apart().without_network([sys.executable, "-I", "-c", _COUNT])
    done = subprocess.run(words, capture_output=True, check=True, timeout=60, cwd="/")

    cut_off, planted, counted = json.loads(done.stdout)

    assert cut_off
    assert counted >= planted == 3
