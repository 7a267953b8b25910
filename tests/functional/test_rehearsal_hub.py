"""The small hub of a drill has every file that drills deliver, whoever is made up for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from havre.bootstrap.drills.stage import found_stage


# Of the first and the third nobody dies in the year.
@pytest.mark.parametrize("seed", [778_526_663, 3_626_764_237, 1_167_696_004])
def test_every_seed_gives_the_files_that_drills_deliver(tmp_path: Path, seed: int) -> None:
    stage = found_stage(tmp_path / "hub", name="fork", seed=f"{seed:08x}")

    names = {path.name for path in stage.deliveries.iterdir()}
    assert {"beneficiaires-2023", "cepidc-2023"} <= names
    assert any(name.startswith("dcir-2023-") for name in names)
    assert len(stage.people()) > 250
