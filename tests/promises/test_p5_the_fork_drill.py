"""P5: a log shown otherwise to some than to others is refused by everybody, and the proof is kept.

The drill is held as it is, and then with one party broken on purpose: it must say so.
"""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from fakes.small_hub import copy_of, founded
from havre.adapters.machine.apart import inspect_apart
from havre.bootstrap.drills.false_operator import DISHONEST, HONEST, Lies, write_trees
from havre.bootstrap.drills.fork import fork
from havre.bootstrap.drills.stage import Stage
from havre.domain.drill_receipt import DrillRun
from havre.domain.drills import Verdict
from havre.domain.events import DrillRan, events_of
from havre.errors import Refused
from havre.formats.canonical import Json

SEED = "0123456789abcdef" * 2


@cache
def held() -> DrillRun:
    return fork(SEED)


def answers(run: DrillRun) -> list[dict[str, Json]]:
    told = run.details["answers"]
    assert isinstance(told, list)
    return [each for each in told if isinstance(each, dict)]


def test_everybody_refuses_every_false_log_and_believes_the_true_one() -> None:
    run = held()

    assert run.verdict is Verdict.HELD
    for each in answers(run):
        assert each["believed"] is (each["tree"] == HONEST), each
    assert {each["party"] for each in answers(run)} >= {
        *("witness-1", "witness-2", "witness-3", "custodian-1", "stranger", "newcomer")
    }
    assert {each["tree"] for each in answers(run)} == {HONEST, *DISHONEST}


def test_each_keeps_a_head_that_the_logs_own_key_contradicts() -> None:
    evidence = held().details["evidence"]

    assert isinstance(evidence, dict)
    assert all(evidence.values())
    assert len({json.dumps(kept) for kept in evidence.values()}) == 1


def test_the_receipt_says_who_was_not_separated() -> None:
    assert "all parties stood on one machine" in held().not_separated
    assert ("all parties ran under one user of this machine" in held().not_separated) == (
        not inspect_apart().users
    )


def test_nothing_of_the_stage_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)

    run = fork(SEED)

    assert run.verdict is Verdict.HELD
    # Other users cannot pass through a test's own directory: it is said, not passed over.
    assert "all parties ran under one user of this machine" in run.not_separated
    assert list(tmp_path.iterdir()) == []


# ------------------------------------------------------------ one party broken on purpose


def forget(stage: Stage) -> None:
    """A witness that remembers no head cosigns whatever it is shown first."""
    (line,) = (stage.parties / "witness-1" / "seen").glob("seen-*.json")
    told = json.loads(line.read_text())
    empty = hashlib.sha256().digest()
    told |= {"root": base64.b64encode(empty).decode(), "size": 0}
    line.write_text(json.dumps(told))


def burn_copy(stage: Stage) -> None:
    """A custodian without its copy of the log and its counter takes an old log for new."""
    folder = stage.parties / "custodian-1"
    for memory in ("mirror", "answers"):
        shutil.rmtree(folder / memory)
    (folder / "counter").unlink()


def break_witness(stage: Stage) -> None:
    """A witness that was restored and told nothing cosigns nothing, the true log neither."""
    shutil.rmtree(stage.parties / "witness-2" / "seen")


def fill_drawer(stage: Stage) -> None:
    """A witness whose place for evidence is full keeps none."""
    drawer = stage.parties / "witness-3" / "seen" / "refused"
    drawer.mkdir()
    for number in range(64):
        (drawer / f"{number}.note").write_text("old")


@pytest.mark.parametrize(
    ("spoils", "criteria"),
    [
        ((forget,), {"asks-believed"}),
        ((burn_copy,), {"asks-believed"}),
        ((break_witness, fill_drawer), {"honest-refused", "without-evidence"}),
    ],
)
def test_a_broken_party_is_found(
    spoils: tuple[Callable[[Stage], None], ...], criteria: set[str]
) -> None:
    def spoil(stage: Stage) -> None:
        for break_it in spoils:
            break_it(stage)

    run = fork(SEED, spoil=spoil)

    assert run.verdict is Verdict.FAILED
    assert {each.criterion.name for each in run.judged if each.held is False} >= criteria


def test_a_false_operator_forges_nothing_with_the_keys_of_a_real_log(tmp_path: Path) -> None:
    hub = founded()
    lies = Lies(
        party=str(hub.hub / "party"),
        site=str(hub.hub / "site"),
        earlier=str(hub.hub / "site"),
        liars=[],
        served=str(tmp_path),
        user=None,
    )

    with pytest.raises(Refused, match="for rehearsals only"):
        write_trees(lies)
    assert list(tmp_path.iterdir()) == []


# ------------------------------------------------------------ on record


def test_the_command_puts_the_drill_on_the_hubs_own_log(tmp_path: Path) -> None:
    hub = copy_of(founded(), tmp_path)
    words = [sys.executable, "-m", "havre", "drill", "fork", "--hub", str(hub.hub), "--json"]

    done = subprocess.run(
        [*words, "--seed", SEED], capture_output=True, text=True, check=False, timeout=120
    )

    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    (ran,) = events_of([each.event for each in hub.open().log.entries()], DrillRan)
    assert (ran.drill, ran.verdict, ran.receipt_sha256) == ("fork", "held", said["receipt_sha256"])
    wrong = subprocess.run([*words, "--seed", "12"], capture_output=True, check=False, timeout=60)
    assert wrong.returncode == 2
