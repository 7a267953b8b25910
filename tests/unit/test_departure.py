"""A departure accounts for all twelve asset classes and arrives whole or not at all."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from havre.domain.departure import (
    AssetClass,
    DepartureManifest,
    PackedFile,
    check_equal,
    encode_manifest,
    named_paths,
    parse_manifest,
)
from havre.errors import InvalidInput, NotGenuine
from havre.values import Digest

EMPTY = (AssetClass.MODELS, AssetClass.CLOCKS)


def a_manifest() -> DepartureManifest:
    files = tuple(
        sorted(
            PackedFile(f"{asset.value}/file", asset, Digest("a" * 64), 10)
            for asset in AssetClass
            if asset not in EMPTY
        )
    )
    return DepartureManifest(
        departure="departure-1",
        origin="havre.example/test",
        log_size=12,
        log_root="b" * 64,
        rows={"dcir": 1200},
        files=files,
        empty=tuple(sorted(EMPTY)),
        lacking=("releases/r1/lost.csv",),
    )


def test_a_manifest_reads_back() -> None:
    assert parse_manifest(encode_manifest(a_manifest())) == a_manifest()


@pytest.mark.parametrize("asset", [asset for asset in AssetClass if asset not in EMPTY])
def test_a_departure_that_forgets_a_class_is_refused(asset: AssetClass) -> None:
    files = tuple(file for file in a_manifest().files if file.asset is not asset)

    with pytest.raises(InvalidInput, match=asset.value):
        encode_manifest(replace(a_manifest(), files=files))


def test_a_class_is_not_empty_and_full_at_once() -> None:
    with pytest.raises(InvalidInput, match="log"):
        encode_manifest(replace(a_manifest(), empty=(*EMPTY, AssetClass.LOG)))


@pytest.mark.parametrize("path", ["../log", "/etc/passwd", "a//b", "a/./b", "a\\b", ""])
def test_a_path_that_leaves_the_package_is_refused(path: str) -> None:
    document = encode_manifest(a_manifest()).replace(
        b"log/file", path.encode().replace(b"\\", b"\\\\")
    )

    with pytest.raises(InvalidInput):
        parse_manifest(document)


def test_what_arrives_whole_is_accepted() -> None:
    check_equal(a_manifest(), a_manifest().files)


def test_a_missing_a_changed_and_an_added_file_are_named_by_class() -> None:
    files = [file for file in a_manifest().files if file.asset is not AssetClass.LOG]
    files[0] = replace(files[0], sha256=Digest("c" * 64))
    files.append(PackedFile("stowaway", AssetClass.CODE, Digest("a" * 64), 1))

    with pytest.raises(NotGenuine) as refusal:
        check_equal(a_manifest(), files)
    assert (
        "catalogue: 1 changed (catalogue/file); log: 1 missing (log/file);"
        " 1 that nobody packed (stowaway)"
    ) in refusal.value.message


def test_many_files_are_counted_and_the_first_are_named() -> None:
    assert named_paths(f"{number:02d}" for number in range(9)) == "00, 01, 02, 03, 04, and 4 more"


def test_a_strangers_name_for_a_file_reaches_no_screen_as_it_is() -> None:
    shown = named_paths(["\x1b[2J" + "é" * 200])

    assert shown.isascii()
    assert len(shown) <= 100
    assert "\x1b" not in shown


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(noise: bytes) -> None:
    with pytest.raises(InvalidInput):
        parse_manifest(noise)
