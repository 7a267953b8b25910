"""Vault, writing: nothing clear reaches the store, and writing needs nobody's consent.

Every object has a file key of its own, drawn for this one attempt, sealed to the
public half of its partition's key pair and then forgotten. A write that fails is
begun again with a new key under a new name. A version is first all its objects,
then one manifest for each partition touched; it exists when the log says so
(`docs/protocols.md`, sections 1 and 3). Objects of a write that nobody finished are
swept after seven days.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta

from havre.application.pseudonymise import PseudonymisedTable
from havre.crypto.random import new_object_id
from havre.crypto.sealing import FileKey, seal_key, seal_stream
from havre.domain.version_objects import PlacedObject, VersionObjects
from havre.errors import NotFound, NotGenuine, Refused
from havre.formats.envelope import encode_header
from havre.formats.manifest import (
    Manifest,
    ManifestEntry,
    ObjectKind,
    encode_manifest,
    key_context,
)
from havre.formats.padding import pad_stream
from havre.ports.objects import ORPHAN_DAYS, ObjectStore, StoredObject
from havre.ports.records import Document
from havre.ports.tables import TableFiles
from havre.values import ObjectId, Partition, TableStream

# The kind of the private document that says under which id a manifest lies.
MANIFEST_DOCUMENT = "manifest"


@dataclass(frozen=True, slots=True)
class WritePlace:
    """A partition that is open for writing.

    partition_id: its opaque id, which stands on the log.
    public_key: the public half of its key pair, from the catalogue.
    """

    partition: Partition
    partition_id: str
    public_key: bytes


@dataclass(frozen=True, slots=True)
class SealedManifest:
    """One partition's part of a version.

    stored: the manifest object; its SHA-256 goes on the log, its id into the records.
    files: the objects that it lists.
    rows: by table.
    """

    partition_id: str
    partition: Partition
    stored: StoredObject
    files: tuple[StoredObject, ...]
    rows_of: Mapping[str, int]

    @property
    def document(self) -> Document:
        """Where it is, for the records, in the event's own transaction.

        Not on the log, which has their hashes: a host that hashes what it stores
        finds its manifests by those (`docs/stores.md`), nobody else does.
        """
        return Document(MANIFEST_DOCUMENT, self.stored.sha256, self.stored.object_id.encode())

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(self.rows_of.values())


@dataclass(frozen=True, slots=True)
class SealedVersion:
    """What a `VersionPublished` or an `ExtractMade` event is made from.

    objects: what came from which delivery, and what is withdrawn; null for an extract.
    """

    manifests: tuple[SealedManifest, ...]
    objects: VersionObjects | None = None

    @property
    def digests(self) -> dict[str, str]:
        """Opaque partition id to SHA-256 of the manifest's ciphertext."""
        return {sealed.partition_id: sealed.stored.sha256 for sealed in self.manifests}

    @property
    def written(self) -> tuple[StoredObject, ...]:
        """Every object of it, manifests too."""
        return tuple(each for sealed in self.manifests for each in (*sealed.files, sealed.stored))

    @property
    def documents(self) -> tuple[Document, ...]:
        """Where each manifest is."""
        return tuple(sealed.document for sealed in self.manifests)

    @property
    def rows(self) -> int:
        """Rows added; exact, to be rounded before it is public."""
        return sum(sealed.rows for sealed in self.manifests)


class NoPlace(Refused):
    """Rows belong to a partition that has no key pair."""


class VaultWriter:
    """Seals into one store."""

    def __init__(self, objects: ObjectStore, tables: TableFiles, *, origin: str) -> None:
        self._objects = objects
        self._tables = tables
        self._origin = origin

    def batch(self) -> AbstractContextManager[None]:
        """Hold back what is sealed until the context ends, where the store can."""
        return self._objects.batch()

    def take_debts(self) -> Mapping[str, AbstractSet[ObjectId]]:
        """What was sealed since the last call and some replica of the store lacks."""
        return self._objects.take_debts()

    def seal_bytes(
        self, chunks: Iterable[bytes], *, kind: ObjectKind, place: WritePlace
    ) -> StoredObject:
        """Seal a stream of bytes: a delivery on its way in, rows set aside, a manifest.

        The object carries its own sealed key, so whoever has the partition's
        private half and the object's id needs nothing else.

        Raises:
            Unavailable: the store is full or gone; nothing was kept.
        """
        object_id, key = new_object_id(), FileKey.draw()
        header = encode_header(self._sealed(key, object_id, kind=kind, place=place))
        sealed = seal_stream(pad_stream(chunks), key=key, object_id=object_id)
        return self._objects.put(object_id, _chained(header, sealed))

    def texts(self, columns: Mapping[str, Sequence[str]]) -> TableStream:
        """Make a table of texts that are in memory already."""
        return self._tables.texts(columns)

    def seal_table(
        self, rows: TableStream, *, table: str, kind: ObjectKind, place: WritePlace
    ) -> ManifestEntry:
        """Seal rows as one Parquet file and say what the manifest must know of it.

        rows: at most `ports.tables.MAX_FILE_ROWS`.
        """
        object_id, key = new_object_id(), FileKey.draw()
        # A delivery is read once, whole: nobody chooses it by bounds or compares its cells.
        described = kind is not ObjectKind.DELIVERY
        write = self._tables.write(rows, key=key.take(), described=described)
        stored = self._objects.put(object_id, write)
        return ManifestEntry(
            object_id=object_id,
            kind=kind,
            table=table,
            sha256=stored.sha256,
            size_bytes=stored.size_bytes,
            rows=write.facts.rows,
            content_sha256=write.facts.content_sha256,
            bounds=write.facts.bounds,
            sealed_key=self._sealed(key, object_id, kind=kind, place=place),
        )

    def take_up(self, entries: Sequence[ManifestEntry]) -> bool:
        """Say whether objects that were sealed before are all there, byte for byte; else remove them."""
        try:
            for entry in entries:
                with self._objects.open(entry.object_id, sha256=entry.sha256):
                    pass
        except (NotFound, NotGenuine):
            for entry in entries:
                self._objects.delete(entry.object_id)
            return False
        return True

    def seal_manifest(
        self,
        entries: Iterable[ManifestEntry],
        *,
        place: WritePlace,
        withdrawn: Iterable[ObjectId] = (),
    ) -> SealedManifest:
        """Seal the list of what a version adds to one partition."""
        manifest = Manifest(
            origin=self._origin,
            partition=place.partition,
            entries=tuple(entries),
            withdrawn=tuple(withdrawn),
        )
        document = encode_manifest(manifest)
        stored = self.seal_bytes([document], kind=ObjectKind.MANIFEST, place=place)
        rows_of: dict[str, int] = {}
        for entry in manifest.entries:
            rows_of[entry.table] = rows_of.get(entry.table, 0) + entry.rows
        files = tuple(
            StoredObject(entry.object_id, entry.size_bytes, entry.sha256)
            for entry in manifest.entries
        )
        return SealedManifest(place.partition_id, place.partition, stored, files, rows_of)

    def seal_extract(
        self, extracts: Mapping[str, TableStream], *, place: WritePlace
    ) -> SealedVersion:
        """Seal a project's extract: its tables, and one manifest, to the project's key.

        extracts: by table; each stream is read once, in order.
        """
        entries = [
            entry
            for table, rows in extracts.items()
            for entry in self.seal_parts(rows, table=table, kind=ObjectKind.EXTRACT, place=place)
        ]
        return SealedVersion((self.seal_manifest(entries, place=place),))

    def seal_parts(
        self, rows: TableStream, *, table: str, kind: ObjectKind, place: WritePlace
    ) -> list[ManifestEntry]:
        """Seal rows of any number as one file or several, into one partition."""
        return [
            self.seal_table(part, table=table, kind=kind, place=place)
            for _, part in self._tables.split_by_year(rows, year_column=None)
        ]

    def parts_by_year(self, table: PseudonymisedTable) -> Iterator[tuple[int, TableStream]]:
        """Part a table by the calendar year that chooses its partition."""
        return self._tables.split_by_year(table.rows, year_column=table.schema.year_column)

    def sweep(self, live: AbstractSet[ObjectId], *, now: datetime) -> tuple[ObjectId, ...]:
        """Remove what writes that nobody finished have left behind.

        live: every object that a version, a delivery or an extract lists.
        """
        return self._objects.sweep(live, older_than=now - timedelta(days=ORPHAN_DAYS))

    def _sealed(
        self, key: FileKey, object_id: ObjectId, *, kind: ObjectKind, place: WritePlace
    ) -> bytes:
        context = key_context(object_id, origin=self._origin, kind=kind, partition=place.partition)
        return seal_key(key.raw, to=place.public_key, info=context)


class VersionWriter:
    """One version of one dataset in the making: tables in, then `close`.

    Nothing of it exists for anybody until the log has the event made from what
    `close` returns; a second attempt begins with a new writer.
    """

    def __init__(self, vault: VaultWriter, *, places: Mapping[int, WritePlace]) -> None:
        """Write to these partitions.

        places: by calendar year; 0 is for rows without one.
        """
        self._vault = vault
        self._places = places
        self._entries: dict[int, list[ManifestEntry]] = {}
        self._added: dict[str, list[PlacedObject]] = {}
        self._withdrawn: dict[int, list[ObjectId]] = {}

    def add(self, table: PseudonymisedTable, *, delivery: str) -> None:
        """Seal rows of one delivery, each into the partition of its year.

        delivery: whose rows these are; no object has those of two.

        Raises:
            NoPlace: rows are of a year that has no partition; what was sealed
                before is an orphan, and this writer is of no more use.
        """
        name, added = table.schema.name, self._added.setdefault(delivery, [])
        for year, rows in self._vault.parts_by_year(table):
            place = self._place(year, what=f"Rows of {name}")
            entry = self._vault.seal_table(rows, table=name, kind=ObjectKind.TABLE, place=place)
            self._entries.setdefault(year, []).append(entry)
            added.append(PlacedObject(entry.object_id, place.partition_id, name, entry.rows))

    def withdraw(self, objects: Iterable[ObjectId], *, year: int) -> None:
        """Say that objects of versions before are no longer in this one.

        year: of the partition that they lie in, whichever its generation: whoever reads
            one generation of a year reads them all.

        Raises:
            NoPlace: this year's partition takes nothing.
        """
        self._place(year, what="Rows to be withdrawn")
        self._withdrawn.setdefault(year, []).extend(objects)

    def close(self) -> SealedVersion:
        """Seal one manifest for each partition that got rows, or from which some are withdrawn."""
        years = sorted({*self._entries, *self._withdrawn})
        gone = {year: tuple(self._withdrawn.get(year, ())) for year in years}
        manifests = tuple(
            self._vault.seal_manifest(
                self._entries.get(year, ()), place=self._places[year], withdrawn=gone[year]
            )
            for year in years
        )
        withdrawn = tuple(each for year in years for each in gone[year])
        return SealedVersion(manifests, VersionObjects(self._added, withdrawn))

    def _place(self, year: int, *, what: str) -> WritePlace:
        if year not in self._places:
            raise NoPlace(
                f"{what} are of {year or 'no year'}, for which there is no open key pair.",
                hint="Hold a key ceremony for this year: `havre ceremony`,"
                " or `havre keys rotate --due`.",
            )
        return self._places[year]


def _chained(header: bytes, chunks: Iterable[bytes]) -> Iterator[bytes]:
    yield header
    yield from chunks
