"""The tlog-tiles layout: which file holds which hashes and entries of a log.

A tile holds up to 256 hashes of one level, 32 bytes each; tile level L holds
the hashes of tree level 8·L. An entry bundle holds up to 256 entries, each
after its length in two bytes. A tile that is not full yet is a file of its
own, named by its width, and is never changed: the next one gets another name.

Source: C2SP tlog-tiles.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from havre.errors import InvalidInput

TILE_WIDTH = 256
TILE_HEIGHT = 8
HASH_BYTES = 32
_ENTRIES = -1


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """One file of the layout.

    level: tile level from 0, or -1 for an entry bundle.
    index: position in its level.
    width: hashes or entries in it, 1 to 256.
    """

    level: int
    index: int
    width: int

    @property
    def is_bundle(self) -> bool:
        """Whether it holds entries instead of hashes."""
        return self.level == _ENTRIES

    @property
    def path(self) -> str:
        """Where the file stands under the log's folder.

        >>> Tile(0, 1234067, 256).path, Tile(1, 3, 7).path
        ('tile/0/x001/x234/067', 'tile/1/003.p/7')
        """
        groups = [f"{self.index % 1000:03d}"]
        rest = self.index // 1000
        while rest:
            groups.append(f"x{rest % 1000:03d}")
            rest //= 1000
        level = "entries" if self.is_bundle else str(self.level)
        partial = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"tile/{level}/{'/'.join(reversed(groups))}{partial}"


def bundle_of(index: int, *, size: int) -> Tile:
    """Find the bundle that holds an entry in a log of `size` entries."""
    number = index // TILE_WIDTH
    return Tile(_ENTRIES, number, min(TILE_WIDTH, size - number * TILE_WIDTH))


def hash_tile_of(level: int, index: int, *, size: int) -> tuple[Tile, int, int]:
    """Find where a complete subtree's hash is kept.

    level, index: of the subtree, level 0 are leaves.

    Returns the tile that covers it, and the first and last place (past the
    end) of the tile's hashes that fold into it.

    Raises:
        ValueError: the subtree is not complete in a log of this size.
    """
    if (index + 1) << level > size:
        raise ValueError("the subtree is not complete at this size")
    tile_level, above = divmod(level, TILE_HEIGHT)
    first = index << above
    number = first // TILE_WIDTH
    full = (size >> (tile_level * TILE_HEIGHT)) - number * TILE_WIDTH
    start = first - number * TILE_WIDTH
    return Tile(tile_level, number, min(TILE_WIDTH, full)), start, start + (1 << above)


def tiles_between(old_size: int, size: int) -> Iterator[Tile]:
    """List the hash tiles that a log of `size` entries has and one of `old_size` had not."""
    level = 0
    while size >> (level * TILE_HEIGHT):
        before, now = old_size >> (level * TILE_HEIGHT), size >> (level * TILE_HEIGHT)
        for number in range(before // TILE_WIDTH, -(-now // TILE_WIDTH)):
            width = min(TILE_WIDTH, now - number * TILE_WIDTH)
            if width > max(0, min(TILE_WIDTH, before - number * TILE_WIDTH)):
                yield Tile(level, number, width)
        level += 1


def bundles_between(old_size: int, size: int) -> Iterator[Tile]:
    """List the entry bundles that a log of `size` entries has and one of `old_size` had not."""
    if size > old_size:
        for number in range(old_size // TILE_WIDTH, -(-size // TILE_WIDTH)):
            yield bundle_of(number * TILE_WIDTH, size=size)


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Write entries one after the other, each after its length.

    Raises:
        ValueError: an entry is longer than 65,535 bytes.

    >>> encode_bundle([b"a", b"bc"])
    b'\\x00\\x01a\\x00\\x02bc'
    """
    if any(len(entry) > 0xFFFF for entry in entries):
        raise ValueError("an entry is longer than 65535 bytes")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def parse_bundle(bundle: bytes, *, width: int) -> list[bytes]:
    """Read exactly `width` entries.

    Raises:
        InvalidInput: fewer or more bytes than the lengths say.
    """
    entries: list[bytes] = []
    at = 0
    for _ in range(width):
        end = at + 2 + int.from_bytes(bundle[at : at + 2], "big")
        if at + 2 > len(bundle) or end > len(bundle):
            raise InvalidInput("An entry bundle is shorter than its lengths say.")
        entries.append(bundle[at + 2 : end])
        at = end
    if at != len(bundle):
        raise InvalidInput("An entry bundle has bytes after its last entry.")
    return entries


def parse_hash_tile(tile: bytes, *, width: int) -> list[bytes]:
    """Read exactly `width` hashes of 32 bytes.

    Raises:
        InvalidInput: another length.
    """
    if len(tile) != width * HASH_BYTES:
        raise InvalidInput("A tile has another length than its name says.")
    return [tile[at : at + HASH_BYTES] for at in range(0, len(tile), HASH_BYTES)]
