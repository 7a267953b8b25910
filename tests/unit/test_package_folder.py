"""A package appears whole or not at all, and reading one follows no link."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from havre.adapters.package.folder import (
    FolderPackageReader,
    FolderPackageWriter,
    name_settled,
)
from havre.errors import InvalidInput, NotFound, Refused


def test_a_package_appears_only_when_it_is_sealed(tmp_path: Path) -> None:
    writer = FolderPackageWriter(tmp_path / "package")
    writer.write("log/checkpoint", [b"one", b"two"])
    before = (tmp_path / "package").exists()
    writer.seal()

    assert (before, (tmp_path / "package/log/checkpoint").read_bytes()) == (False, b"onetwo")


def test_what_is_written_is_what_is_measured(tmp_path: Path) -> None:
    writer = FolderPackageWriter(tmp_path / "package")
    written = [writer.write("b", [b"2"]), writer.write("a/c", [b"1"])]
    writer.seal()

    measured = list(FolderPackageReader(tmp_path / "package").measure())

    assert measured == sorted(written, key=lambda file: file.path)
    assert measured[0].sha256 == hashlib.sha256(b"1").hexdigest()


def test_an_interrupted_packing_does_not_stand_in_the_way(tmp_path: Path) -> None:
    FolderPackageWriter(tmp_path / "package").write("half", [b"x"])

    again = FolderPackageWriter(tmp_path / "package")
    again.write("whole", [b"y"])
    again.seal()

    assert [file.path for file in FolderPackageReader(tmp_path / "package").measure()] == ["whole"]


def test_a_settled_package_waits_beside_its_name_and_can_be_given_it_later(tmp_path: Path) -> None:
    """The log is handed over between the two: what it names must not depend on this process."""
    writer = FolderPackageWriter(tmp_path / "package")
    writer.write("whole", [b"y"])
    writer.settle()
    (tmp_path / "package").write_bytes(b"in the way")

    with pytest.raises(Refused, match="waits beside"):
        name_settled(tmp_path / "package")
    (tmp_path / "package").unlink()
    name_settled(tmp_path / "package")

    assert [file.path for file in FolderPackageReader(tmp_path / "package").measure()] == ["whole"]


def test_a_package_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()

    with pytest.raises(Refused, match="exists already"):
        FolderPackageWriter(tmp_path / "package")


def test_a_path_is_written_once(tmp_path: Path) -> None:
    writer = FolderPackageWriter(tmp_path / "package")
    writer.write("a", [b"1"])

    with pytest.raises(Refused, match="already"):
        writer.write("a", [b"2"])


@pytest.mark.parametrize("path", ["../a", "/a", "a/../../b", "a//b", ""])
def test_a_path_that_leaves_is_refused(tmp_path: Path, path: str) -> None:
    writer = FolderPackageWriter(tmp_path / "package")

    with pytest.raises(InvalidInput):
        writer.write(path, [b"1"])


def test_a_link_in_a_package_is_refused(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package/link").symlink_to("/etc/hostname")
    reader = FolderPackageReader(tmp_path / "package")

    with pytest.raises(InvalidInput):
        list(reader.measure())
    with pytest.raises(InvalidInput):
        list(reader.read("link"))
    with pytest.raises(NotFound):
        list(reader.read("nothing"))
