"""A witness that is asked over a socket keeps the port's promises as one in process does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.suite_witness import *  # noqa: F403
from contract.suite_witness import Stage
from fakes.parties import Cast, SetClock
from fakes.served import behind_a_socket
from havre.adapters.witness.desk import WitnessDesk
from havre.adapters.witness.http import RemoteWitness
from havre.adapters.witness.local import LocalWitness, WitnessWithoutMemory
from havre.domain.clocks import ClockWentBack


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    cast, clock = Cast(), SetClock()
    local = LocalWitness(
        tmp_path / "witness", token=cast["witness-1"], roots=cast.roots, clock=clock
    )
    local.begin()
    with behind_a_socket("witness-1", WitnessDesk(local).acts, clock=clock) as channel:
        yield Stage(RemoteWitness(channel), cast, clock)


def test_a_witness_that_was_restored_says_so_over_the_socket(stage: Stage, tmp_path: Path) -> None:
    (line,) = (tmp_path / "witness").glob("seen-*.json")
    line.unlink()

    with pytest.raises(WitnessWithoutMemory, match="witness-1 was restored"):
        stage.witness.size_seen(stage.cast.roots.origin)


def test_a_clock_that_went_back_is_named_over_the_socket(stage: Stage) -> None:
    stage.grow(b"one")
    stage.ask(stage.note())
    stage.clock.move(hours=-1)

    with pytest.raises(ClockWentBack, match="The clock of witness-1 went back by 3600 seconds"):
        stage.ask(stage.note())
