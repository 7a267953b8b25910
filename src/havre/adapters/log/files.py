"""A log in the tlog-tiles layout: a folder that any web server can publish.

What is not published yet stands in a folder of its own, outside. The order of
writing is that of `docs/protocols.md`, section 1: entries and tiles, then the
signed checkpoint as pending, and only much later the published one.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from havre.crypto.merkle import HASH_BYTES, leaf_hash, node_hash, tree_root
from havre.errors import InvalidInput, NotFound, Refused, Unavailable
from havre.formats.tiles import (
    TILE_HEIGHT,
    TILE_WIDTH,
    Tile,
    bundle_of,
    bundles_between,
    encode_bundle,
    hash_tile_of,
    parse_bundle,
    parse_hash_tile,
    tiles_between,
)


class LogPages:
    """A published log, read file by file from wherever its files are.

    read: gives a file by its path in the layout, or raises `NotFound`.
    """

    def __init__(self, read: Callable[[str], bytes]) -> None:
        self._read = read

    def checkpoint(self) -> bytes:
        """Return the published checkpoint."""
        return self._read("checkpoint")

    def entries(self, start: int, end: int) -> list[bytes]:
        """Return entries by index; from a full bundle, or the widest one that is there."""
        found: list[bytes] = []
        while start < end:
            bundle, content = self._bundle_with(start, end)
            entries = parse_bundle(content, width=bundle.width)
            first = bundle.index * TILE_WIDTH
            found += entries[start - first : end - first]
            start = min(end, first + TILE_WIDTH)
        return found

    def node(self, level: int, index: int, *, size: int) -> bytes:
        """Return the hash of a complete subtree, folded from the tile that covers it."""
        tile, first, last = hash_tile_of(level, index, size=size)
        hashes = parse_hash_tile(self._read(tile.path), width=tile.width)[first:last]
        while len(hashes) > 1:
            hashes = [node_hash(*hashes[at : at + 2]) for at in range(0, len(hashes), 2)]
        return hashes[0]

    def _bundle_with(self, start: int, end: int) -> tuple[Tile, bytes]:
        """Find a file that holds the entries from `start` to the bundle's or the range's end.

        A reader asks for sizes that were published, and those files stay.
        """
        last = min(end, (start // TILE_WIDTH + 1) * TILE_WIDTH)
        number = start // TILE_WIDTH
        exact = last - number * TILE_WIDTH
        for width in dict.fromkeys((exact, TILE_WIDTH, *range(exact, TILE_WIDTH))):
            bundle = Tile(-1, number, width)
            try:
                return bundle, self._read(bundle.path)
            except NotFound:
                continue
        missing = bundle_of(start, size=last)
        return missing, self._read(missing.path)


class LogFolder(LogPages):
    """The published folder of a log, for reading."""

    def __init__(self, folder: Path) -> None:
        super().__init__(self._file)
        self._folder = folder

    def _file(self, path: str) -> bytes:
        try:
            return (self._folder / path).read_bytes()
        except OSError:
            raise NotFound(f"The log has no file {path}.") from None


class LogFiles(LogFolder):
    """The same folder with the right to write, and the private one beside it."""

    def __init__(self, folder: Path, *, private: Path) -> None:
        super().__init__(folder)
        self._private = private
        folder.mkdir(parents=True, exist_ok=True)
        private.mkdir(parents=True, exist_ok=True, mode=0o700)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep every other writer out, by a lock the kernel drops when a process dies."""
        descriptor = os.open(self._private / "lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def append(self, entries: Sequence[bytes], *, at: int) -> bytes:
        """Store entries and the tiles they complete or extend; return the new root.

        Files are written under the names of the new size. Those of an attempt
        that never got a checkpoint are written over: nobody has seen them.
        """
        size = at + len(entries)
        known = self.entries(at - at % TILE_WIDTH, at) + list(entries)
        first = at - at % TILE_WIDTH
        for bundle in bundles_between(at, size):
            start = bundle.index * TILE_WIDTH - first
            self._write(bundle.path, encode_bundle(known[start : start + bundle.width]))
        fresh = [leaf_hash(entry) for entry in entries]
        for tile in tiles_between(at, size):
            self._write(tile.path, b"".join(self._hashes_of(tile, fresh, at=at)))
        return tree_root(size, node=lambda level, index: self.node(level, index, size=size))

    def pending(self) -> bytes | None:
        """Return the checkpoint that was signed and not published."""
        try:
            return (self._private / "pending").read_bytes()
        except FileNotFoundError:
            return None

    def put_pending(self, note: bytes) -> None:
        """Store a signed checkpoint durably, before anybody sees it."""
        if self.pending() not in (None, note):
            raise Refused(
                "A signed checkpoint is waiting and another one cannot take its place.",
                hint="Run the command again: what is waiting is finished first.",
            )
        write_file(self._private / "pending", note)

    def publish(self, note: bytes) -> None:
        """Publish a checkpoint, then forget that it was pending."""
        waiting = self.pending()
        if waiting is not None and not note.startswith(waiting):
            raise Refused(
                "Another signed checkpoint is waiting to be published.",
                hint="Run the command again: what is waiting is finished first.",
            )
        write_file(self._folder / "checkpoint", note)
        if waiting is not None:
            with _failures_named():
                (self._private / "pending").unlink()
                _sync_folder(self._private)

    def _hashes_of(self, tile: Tile, fresh: Sequence[bytes], *, at: int) -> list[bytes]:
        """Give a tile's hashes: those it had, then the new ones.

        Tiles come level by level, so the level below is on disk already.
        """
        first = tile.index * TILE_WIDTH
        held = self._held(tile, at=at)
        new = range(first + len(held), first + tile.width)
        if tile.level == 0:
            return held + [fresh[place - at] for place in new]
        return held + [self._full_tile_hash(tile.level - 1, place) for place in new]

    def _held(self, tile: Tile, *, at: int) -> list[bytes]:
        """Read the hashes that a tile had when the log had `at` entries."""
        before = (at >> (tile.level * TILE_HEIGHT)) - tile.index * TILE_WIDTH
        if before <= 0:
            return []
        narrower = Tile(tile.level, tile.index, before)
        return parse_hash_tile(self._read(narrower.path), width=before)

    def _full_tile_hash(self, level: int, index: int) -> bytes:
        """Fold a full tile of one level into the hash that the next level keeps."""
        hashes = parse_hash_tile(self._read(Tile(level, index, TILE_WIDTH).path), width=TILE_WIDTH)
        while len(hashes) > 1:
            hashes = [node_hash(*hashes[at : at + 2]) for at in range(0, len(hashes), 2)]
        if len(hashes[0]) != HASH_BYTES:
            raise InvalidInput("A tile of the log does not fold.")
        return hashes[0]

    def _write(self, path: str, content: bytes) -> None:
        write_file(self._folder / path, content)


def write_file(path: Path, content: bytes) -> None:
    """Write a file so that after a crash it is the old one or the new one."""
    beside = path.with_name(f".{path.name}.new")
    with _failures_named():
        _make_folders(path.parent)
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.rename(path)
        _sync_folder(path.parent)


def _make_folders(folder: Path) -> None:
    """Make folders so that their names survive a power cut as well."""
    if not folder.is_dir():
        _make_folders(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync_folder(folder.parent)


@contextmanager
def _failures_named() -> Iterator[None]:
    """Turn a full or broken disk into a refusal that says so."""
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f"The log's folder does not take bytes: {os.strerror(error.errno or 0)}.",
            hint="Mend the disk or make room, then run the same command again.",
        ) from error


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
