"""Tiles are where the layout says, and hold what the tree needs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from havre.errors import InvalidInput
from havre.formats.tiles import (
    Tile,
    bundles_between,
    encode_bundle,
    hash_tile_of,
    parse_bundle,
    parse_hash_tile,
    tiles_between,
)


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0, 256), "tile/0/000"),
        (Tile(0, 999, 256), "tile/0/999"),
        (Tile(0, 1000, 256), "tile/0/x001/000"),
        (Tile(2, 1234067, 5), "tile/2/x001/x234/067.p/5"),
        (Tile(-1, 7, 1), "tile/entries/007.p/1"),
    ],
)
def test_a_tile_stands_where_the_specification_says(tile: Tile, path: str) -> None:
    assert tile.path == path


def test_growing_step_by_step_writes_the_tiles_of_growing_at_once() -> None:
    """The tiles that exist at the end are those of the last size, however it was reached."""
    for size in (1, 255, 256, 257, 600, 65_536, 70_000):
        at_once = set(tiles_between(0, size))
        middle = size // 3
        in_two = set(tiles_between(0, middle)) | set(tiles_between(middle, size))
        assert at_once <= in_two


@given(st.integers(1, 200_000), st.data())
def test_every_complete_subtree_is_in_a_tile_that_exists(size: int, data: st.DataObject) -> None:
    level = data.draw(st.integers(0, size.bit_length() - 1))
    index = data.draw(st.integers(0, (size >> level) - 1))

    tile, start, end = hash_tile_of(level, index, size=size)

    assert tile in set(tiles_between(0, size))
    assert 0 <= start < end <= tile.width


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_a_bundle_reads_back(entries: list[bytes]) -> None:
    assert parse_bundle(encode_bundle(entries), width=len(entries)) == entries


@given(st.binary(max_size=60), st.integers(0, 20))
def test_a_bundle_that_does_not_add_up_is_refused(noise: bytes, width: int) -> None:
    try:
        entries = parse_bundle(noise, width=width)
    except InvalidInput:
        return
    assert encode_bundle(entries) == noise


def test_a_tile_of_another_length_is_refused() -> None:
    with pytest.raises(InvalidInput):
        parse_hash_tile(bytes(63), width=2)


def test_bundles_follow_the_entries() -> None:
    assert [bundle.width for bundle in bundles_between(250, 520)] == [256, 256, 8]


def test_the_specifications_log_of_70000_entries_has_the_tiles_it_says() -> None:
    """The example of C2SP tlog-tiles, section Partial Tiles."""
    found: dict[tuple[int, int], int] = {}
    for tile in tiles_between(0, 70_000):
        found[tile.level, tile.width] = found.get((tile.level, tile.width), 0) + 1

    assert found == {(0, 256): 273, (0, 112): 1, (1, 256): 1, (1, 17): 1, (2, 1): 1}
    assert set(tiles_between(0, 256)) == {Tile(0, 0, 256), Tile(1, 0, 1)}
