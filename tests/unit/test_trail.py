"""What a service writes down, and what nobody can make it write down without end."""

from __future__ import annotations

from pathlib import Path

import pytest

from havre.adapters.channel import trail as module
from havre.adapters.channel.trail import Trail
from havre.adapters.machine.clock import SystemClock


def test_a_stranger_who_comes_again_and_again_does_not_fill_the_disk(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "service.jsonl"
    trail = Trail(path, party="custodian-1", clock=SystemClock())
    for _ in range(1000):
        trail.turn_away(outcome="certificate not pinned")
    told = capsys.readouterr().err.splitlines()

    assert len(path.read_bytes().splitlines()) == len(told) == 1
    monkeypatch.setattr(module, "_TURNED_AWAY_EVERY_S", 0.0)
    trail.turn_away(outcome="certificate not pinned")
    assert "certificate not pinned, and 999 more before" in capsys.readouterr().err
