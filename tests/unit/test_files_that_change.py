"""A file is read as it was when its hash was taken, or its delivery is held."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from havre.adapters.sources.folder import HolderFolder
from havre.domain.delivery import FileUnreadable
from havre.domain.layout import Layout
from havre.streams import refusals_heard


def overwrite(file: Path) -> None:
    with file.open("r+b") as there:
        there.write(b"B")


def replace_by_another(file: Path) -> None:
    file.with_suffix(".new").replace(file)


@pytest.mark.parametrize("change", [overwrite, replace_by_another])
@pytest.mark.parametrize("when", ["before it is read", "while it is read"])
def test_a_file_that_changes_under_its_reader_is_not_delivered(
    tmp_path: Path, change: Callable[[Path], None], when: str
) -> None:
    """What somebody was still writing went to the hub under the hash of what had been there."""
    file, layout = tmp_path / "a.csv", Layout(";")
    for name in ("a.csv", "a.new"):
        (tmp_path / name).write_bytes(b"A\n" + b"1\n" * 1000)
        os.utime(tmp_path / name, ns=(0, 0))
    source = HolderFolder(tmp_path, aside=tmp_path / "aside")
    assert len(list(source.list_files())) == 2

    def deliver() -> None:
        if when == "before it is read":
            change(file)
        with refusals_heard():
            pa.table(source.split("a.csv", layout=layout, header=("A",), kept=("A",), constants={}))
        if when == "while it is read":
            change(file)
        source.keep_aside("a.csv", layout=layout)

    with pytest.raises(FileUnreadable, match="somebody wrote to it"):
        deliver()


def test_a_file_that_stays_as_it_is_is_delivered(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"A\n1\n")
    source = HolderFolder(tmp_path, aside=tmp_path / "aside")
    list(source.list_files())

    rows = source.split("a.csv", layout=Layout(";"), header=("A",), kept=("A",), constants={})

    assert len(pa.table(rows)) == 1
    assert source.keep_aside("a.csv", layout=Layout(";")) is None
