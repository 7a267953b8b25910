"""Where memory may be written to a disk in clear, a hub warns when its data are made up, and refuses else."""

from __future__ import annotations

from pathlib import Path

import pytest

from fakes.small_hub import SmallHub, copy_of, founded
from havre.adapters.machine import guarantees
from havre.bootstrap.place import CONFIGURATION
from havre.cli.options import open_hub_for_data, read_hub
from havre.errors import Unprotected


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallHub:
    """A hub on a machine that swaps to a file of which nobody can say where it lies."""
    (tmp_path / "swaps").write_text("Filename Type\n/no/such/file file\n")
    monkeypatch.setattr(guarantees, "SWAPS", tmp_path / "swaps")
    return copy_of(founded(), tmp_path / "hub")


def say_the_data_are_real(hub: SmallHub) -> None:
    path = hub.hub / CONFIGURATION
    path.write_text(path.read_text().replace("made_up = true", "made_up = false"))


def test_a_hub_of_made_up_data_warns(hub: SmallHub, capsys: pytest.CaptureFixture[str]) -> None:
    open_hub_for_data(hub.hub)

    said = capsys.readouterr()
    assert "WARNING" in said.err
    assert "swapoff" in said.err
    assert said.out == ""


def test_a_hub_of_real_data_refuses_before_anything_is_opened(hub: SmallHub) -> None:
    say_the_data_are_real(hub)
    before = (hub.hub / "site/log/checkpoint").read_bytes()

    with pytest.raises(Unprotected, match="may be written to a disk"):
        open_hub_for_data(hub.hub)

    assert (hub.hub / "site/log/checkpoint").read_bytes() == before


def test_looking_at_a_hub_needs_no_clear_data(
    hub: SmallHub, capsys: pytest.CaptureFixture[str]
) -> None:
    say_the_data_are_real(hub)

    read_hub(hub.hub)

    assert capsys.readouterr().err == ""
