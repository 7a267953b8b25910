"""A witness in a directory keeps the port's promises, and its memory."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from contract.suite_witness import *  # noqa: F403
from contract.suite_witness import Stage
from fakes.parties import Cast, SetClock
from havre.adapters.witness.local import LocalWitness, WitnessWithoutMemory
from havre.domain.transparency import Head, log_keys
from havre.errors import NotGenuine, Refused


def witness_in(folder: Path, stage: Stage) -> LocalWitness:
    return LocalWitness(
        folder, token=stage.cast["witness-1"], roots=stage.cast.roots, clock=stage.clock
    )


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    cast, clock = Cast(), SetClock()
    witness = LocalWitness(
        tmp_path / "witness", token=cast["witness-1"], roots=cast.roots, clock=clock
    )
    witness.begin()
    return Stage(witness, cast, clock)


def test_it_remembers_across_a_restart(stage: Stage, tmp_path: Path) -> None:
    stage.grow(b"one")
    stage.ask(stage.note())
    stage.witness = witness_in(tmp_path / "witness", stage)
    stage.size = 0
    stage.grow(b"another")

    with pytest.raises(NotGenuine):
        stage.ask(stage.note())


def test_what_it_cosigns_is_on_disk_before_it_answers(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The signature is made by a token that looks at the disk at that moment."""
    seen: list[int] = []
    hands = stage.cast["witness-1"]

    def sign(message: bytes) -> bytes:
        (line,) = (tmp_path / "witness").glob("seen-*.json")
        seen.append(json.loads(line.read_bytes())["size"])
        return hands.key.sign(message)

    monkeypatch.setattr(hands, "sign", sign)
    stage.grow(b"one", b"two")
    stage.ask(stage.note())

    assert seen == [2]


def test_a_watch_begins_once(stage: Stage, tmp_path: Path) -> None:
    with pytest.raises(Refused):
        witness_in(tmp_path / "witness", stage).begin()


def test_after_a_restore_it_cosigns_nothing_until_it_is_told_a_head(
    stage: Stage, tmp_path: Path
) -> None:
    stage.grow(b"one")
    stage.ask(stage.note())
    witness = witness_in(tmp_path / "witness", stage)
    witness.mark_restored()
    stage.grow(b"two")

    with pytest.raises(WitnessWithoutMemory):
        stage.ask(stage.note())
    with pytest.raises(Refused):
        witness.begin()

    head = Head(2, stage.log.append([], at=2))
    witness.enter_head(head, keys=log_keys(stage.cast.roots, ()))
    stage.ask(stage.note())


def test_a_copied_directory_cosigns_nothing(stage: Stage, tmp_path: Path) -> None:
    stage.grow(b"one")
    stage.ask(stage.note())
    shutil.copytree(tmp_path / "witness", tmp_path / "restored")
    stage.witness = witness_in(tmp_path / "restored", stage)

    with pytest.raises(WitnessWithoutMemory):
        stage.ask(stage.note())


def test_a_lost_state_is_a_lost_memory_not_a_new_log(stage: Stage, tmp_path: Path) -> None:
    stage.grow(b"one")
    stage.ask(stage.note())
    (line,) = (tmp_path / "witness").glob("seen-*.json")
    line.unlink()

    with pytest.raises(WitnessWithoutMemory):
        stage.ask(stage.note())


def test_a_broken_state_is_not_guessed_at(stage: Stage, tmp_path: Path) -> None:
    (line,) = (tmp_path / "witness").glob("seen-*.json")
    line.write_text("{}")

    with pytest.raises(NotGenuine):
        stage.witness.size_seen(stage.cast.roots.origin)
