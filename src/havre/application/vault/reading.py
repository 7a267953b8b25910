"""Vault, reading: what the log says is there, checked, then opened with lent keys.

Trust runs from the log downwards. The log has each manifest's hash, the manifest
each object's; a store that swaps, drops, truncates or rolls back is met before a
byte of it is read as data. A manifest must be checked so: anybody can seal to a
public key, only the log says which manifest is ours.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Protocol

from havre.crypto.sealing import open_stream
from havre.domain.events import VersionPublished
from havre.domain.plan import Plan
from havre.domain.pruning import choose_files
from havre.errors import InvalidInput, NotFound, NotGenuine
from havre.formats.envelope import split_header
from havre.formats.manifest import (
    MAX_MANIFEST_BYTES,
    Manifest,
    ManifestEntry,
    ObjectKind,
    key_context,
    parse_manifest,
)
from havre.formats.padding import unpad_stream
from havre.ports.engine import SourceFile
from havre.ports.objects import ObjectStore
from havre.ports.records import Document
from havre.ports.tables import TableFiles
from havre.values import ObjectId, Partition, TableStream, parse_digest, parse_object_id


class LentKeys(Protocol):
    """What a key release lends for one run (`application.vault.keys`)."""

    def unwrap(self, partition_id: str, sealed: bytes, info: bytes) -> bytes:
        """Open one sealed file key of an open partition; 32 bytes."""


@dataclass(frozen=True, slots=True)
class ReadPlace:
    """A partition that a key release has opened, by its opaque id."""

    partition: Partition
    partition_id: str


@dataclass(frozen=True, slots=True)
class ListedFile:
    """An object of a version, and the partition that its key is sealed to."""

    place: ReadPlace
    entry: ManifestEntry


class VaultReader:
    """Reads one store, with keys that were lent for this run."""

    def __init__(
        self, objects: ObjectStore, tables: TableFiles, *, origin: str, keys: LentKeys
    ) -> None:
        self._objects = objects
        self._tables = tables
        self._origin = origin
        self._keys = keys

    def open_bytes(
        self, object_id: ObjectId, *, kind: ObjectKind, place: ReadPlace, sha256: str
    ) -> Iterator[bytes]:
        """Open what `seal_bytes` sealed, as a stream.

        sha256: of the object, from the log or from a statement that was checked.

        Raises:
            NotGenuine: the object is another one than `sha256` says, before its
                first byte is yielded; or it changes meanwhile, after its last:
                what was yielded then counts for nothing.
            NotFound: there is no such object.
        """
        pieces = self._objects.get(object_id, sha256=sha256)
        return self._opened(pieces, object_id, kind=kind, place=place, sha256=sha256)

    def read_manifest(self, object_id: ObjectId, *, place: ReadPlace, sha256: str) -> Manifest:
        """Open one partition's manifest of one version.

        Raises:
            NotGenuine: the store has another object under this id.
            InvalidInput: it is no manifest of this hub and this partition.
        """
        document = bytearray()
        for chunk in self.open_bytes(
            object_id, kind=ObjectKind.MANIFEST, place=place, sha256=sha256
        ):
            document += chunk
            if len(document) > MAX_MANIFEST_BYTES:
                raise InvalidInput("A manifest is longer than a manifest may be.")
        return parse_manifest(bytes(document), origin=self._origin, partition=place.partition)

    def list_files(
        self,
        chain: Sequence[VersionPublished],
        *,
        places: Sequence[ReadPlace],
        locations: Mapping[str, ObjectId],
    ) -> tuple[ListedFile, ...]:
        """List the objects of a version, in the partitions that are open.

        chain: as `version_chain` gives it.
        locations: SHA-256 of a manifest's ciphertext to its object id.

        Raises:
            NotFound: nobody knows where a manifest is.
        """
        listed: dict[ObjectId, ListedFile] = {}
        for event in chain:
            for place in places:
                if sha256 := event.manifests.get(place.partition_id):
                    object_id = _location(sha256, locations)
                    manifest = self.read_manifest(object_id, place=place, sha256=sha256)
                    for gone in manifest.withdrawn:
                        listed.pop(gone, None)
                    for entry in manifest.entries:
                        listed[entry.object_id] = ListedFile(place, entry)
        return tuple(listed.values())

    def lend_keys(self, files: Iterable[ListedFile]) -> LentKeys:
        """Open the keys of some files now, so that the key room can close before they are read."""
        return _KeysOfFiles({file.entry.sealed_key: self._key(file) for file in files})

    @contextmanager
    def sources(
        self, plan: Plan, *, files: Iterable[ListedFile]
    ) -> Iterator[dict[str, list[SourceFile]]]:
        """Lend the files that a plan needs, each with its key, to an engine.

        The files that no row of the plan can come from are left closed, and so are
        their keys (`domain.pruning`).

        Raises:
            NotGenuine: a file is not what its manifest says.
        """
        lent: dict[str, list[SourceFile]] = {table: [] for table in plan.tables_read}
        listed = list(files)
        chosen = choose_files(plan, [(file.entry.table, file.entry.bounds) for file in listed])
        with ExitStack() as stack:
            for file in (listed[place] for place in chosen):
                path = stack.enter_context(
                    self._objects.as_file(file.entry.object_id, sha256=file.entry.sha256)
                )
                lent[file.entry.table].append(SourceFile(path, self._key(file)))
            yield lent

    @contextmanager
    def read_table(
        self, file: ListedFile, *, encoded: bool = False, columns: Collection[str] | None = None
    ) -> Iterator[TableStream]:
        """Open one file as rows, in their order.

        encoded, columns: as `ports.tables.TableFiles.read` has it.

        Raises:
            NotGenuine: the file is not what its manifest says.
        """
        with self._objects.open(file.entry.object_id, sha256=file.entry.sha256) as opened:
            key = self._key(file)
            yield self._tables.read(opened, key=key, encoded=encoded, columns=columns)

    def check_content(self, file: ListedFile) -> None:
        """Make sure that a file holds the cells that its manifest says, in their order.

        Raises:
            NotGenuine: it does not.
        """
        with self.read_table(file) as rows:
            if self._tables.content_hash(rows) != file.entry.content_sha256:
                raise NotGenuine("A table file has other cells than its manifest says.")

    def _key(self, file: ListedFile) -> bytes:
        context = self._context(file.entry.object_id, kind=file.entry.kind, place=file.place)
        return self._keys.unwrap(file.place.partition_id, file.entry.sealed_key, context)

    def _context(self, object_id: ObjectId, *, kind: ObjectKind, place: ReadPlace) -> bytes:
        return key_context(object_id, origin=self._origin, kind=kind, partition=place.partition)

    def _opened(
        self,
        pieces: Iterable[bytes],
        object_id: ObjectId,
        *,
        kind: ObjectKind,
        place: ReadPlace,
        sha256: str,
    ) -> Iterator[bytes]:
        digest = hashlib.sha256()
        sealed, rest = split_header(_hashed(pieces, digest))
        context = self._context(object_id, kind=kind, place=place)
        key = self._keys.unwrap(place.partition_id, sealed, context)
        yield from unpad_stream(open_stream(rest, key=key, object_id=object_id))
        if digest.hexdigest() != sha256:
            raise NotGenuine("An object in the store changed while it was read.")


class _KeysOfFiles:
    """Single file keys in memory, by what they were sealed as."""

    def __init__(self, keys: Mapping[bytes, bytes]) -> None:
        self._keys = keys

    def unwrap(self, _partition_id: str, sealed: bytes, _info: bytes) -> bytes:
        """Give a key that was opened before.

        Raises:
            NotFound: it was not.
        """
        try:
            return self._keys[sealed]
        except KeyError:
            raise NotFound("A file's key was not lent for this run.") from None


def version_chain(
    published: Mapping[int, VersionPublished], *, version: int
) -> tuple[VersionPublished, ...]:
    """List the events that a version is the union of, the oldest first.

    published: every `VersionPublished` entry of the log, by index.

    Raises:
        NotFound: the log has no such version.
        NotGenuine: a parent is missing, comes later, or is of another dataset.
    """
    if version not in published:
        raise NotFound(f"The log has no version at entry {version}.")
    chain = [published[version]]
    at = version
    while (parent := chain[-1].parent) is not None:
        before = published.get(parent)
        if before is None or parent >= at or before.dataset != chain[-1].dataset:
            raise NotGenuine("A version's parent is not an earlier version of its dataset.")
        chain.append(before)
        at = parent
    return tuple(reversed(chain))


def check_object(objects: ObjectStore, object_id: ObjectId, *, sha256: str) -> None:
    """Make sure that the store holds the bytes that were put, padding included.

    Raises:
        NotGenuine: a byte differs.
        NotFound: there is no such object.
    """
    with objects.open(object_id, sha256=sha256):
        pass


def manifest_locations(documents: Iterable[Document]) -> dict[str, ObjectId]:
    """Read where manifests are: SHA-256 to object id.

    documents: of the kind `sealing.MANIFEST_DOCUMENT`, from the records.

    Raises:
        InvalidInput: a document is no object id.
    """
    return {
        parse_digest(document.name): parse_object_id(document.body.decode("ascii", "replace"))
        for document in documents
    }


def find_manifests(objects: ObjectStore, *, digests: Iterable[str]) -> dict[str, ObjectId]:
    """Find manifests by their hash when the records that say where they are got lost.

    Reads the whole store once. The log and the store are then all that is needed.
    """
    wanted = set(digests)
    found: dict[str, ObjectId] = {}
    for object_id in objects.list_objects():
        digest = hashlib.sha256()
        for piece in objects.get(object_id):
            digest.update(piece)
        if digest.hexdigest() in wanted:
            found[digest.hexdigest()] = object_id
    return found


def _location(sha256: str, locations: Mapping[str, ObjectId]) -> ObjectId:
    try:
        return locations[sha256]
    except KeyError:
        raise NotFound(
            "Nobody knows where a manifest is that the log names.",
            hint="The store can be searched for it by its hash: `find_manifests`.",
        ) from None


def _hashed(pieces: Iterable[bytes], digest: hashlib._Hash) -> Iterator[bytes]:
    for piece in pieces:
        digest.update(piece)
        yield piece
