"""Whoever stops `havre synth`, or has too small a disk, finds no half population."""

from __future__ import annotations

from pathlib import Path

import pytest

from havre.bootstrap.synthetic import write_synthetic


@pytest.mark.parametrize("fault", [KeyboardInterrupt, OSError])
def test_what_was_begun_is_taken_away_and_can_be_begun_anew(
    tmp_path: Path, fault: type[BaseException]
) -> None:
    def stop(done: int, _total: int) -> None:
        if done == 3:
            raise fault

    def write(progress: object) -> None:
        write_synthetic(
            tmp_path,
            people=400,
            first_year=2023,
            years=2,
            seed=11,
            progress=progress,  # type: ignore[arg-type]
        )

    with pytest.raises(fault):
        write(stop)
    assert list(tmp_path.iterdir()) == []

    write(lambda *_: None)

    assert (tmp_path / "truth").is_dir()
