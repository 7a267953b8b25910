"""A key room is a process that takes nothing from the place in which it is started."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from havre.adapters.keyroom.process import ProcessKeyRoom
from havre.errors import NotGenuine

PLANTED = "import pathlib; pathlib.Path({mark!r}).write_text('inside the key room')\n"


def plant(folder: Path, *modules: str) -> Path:
    """Put modules into a folder that leave a mark when anybody imports them."""
    mark = folder / "mark"
    folder.mkdir(exist_ok=True)
    for module in modules:
        (folder / f"{module}.py").write_text(PLANTED.format(mark=str(mark)))
    return mark


@pytest.mark.parametrize("module", ["base64", "shamir_mnemonic", "havre", "sitecustomize"])
def test_a_module_in_the_current_directory_does_not_run_in_the_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    mark = plant(tmp_path, module)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    with ProcessKeyRoom().open() as room:
        assert room.one_time_key

    assert not mark.exists()


def test_these_tests_would_notice_a_room_that_imports_from_where_it_stands(tmp_path: Path) -> None:
    """The breach, planted: started as any program is, the room runs what lies there."""
    mark = plant(tmp_path, "base64")
    subprocess.run(
        [sys.executable, "-m", "havre.adapters.keyroom.child"],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )

    assert mark.exists()


def test_a_line_that_nobody_can_read_does_not_end_the_room() -> None:
    with ProcessKeyRoom().open() as room:
        for line in ({"act": "fly"}, {}, {"act": "load", "id": "a"}):
            with pytest.raises(NotGenuine, match="cannot read a line"):
                room._ask(**line)

        assert room._ask(act="one_time_key")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may look into a room")
def test_a_room_inherits_no_variable_and_stands_in_no_directory_of_ours() -> None:
    with ProcessKeyRoom().open() as room:
        process = Path("/proc") / str(room._child.pid)

        assert (process / "environ").read_bytes() == b""
        assert (process / "cwd").readlink() == Path("/")
