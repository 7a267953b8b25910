"""What landed of deliveries, opened: each file of theirs with its sealed parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

from havre.application.vault.reading import ListedFile, ReadPlace, VaultReader
from havre.domain.delivery import FileCount
from havre.domain.delivery_note import DeliveryNote
from havre.errors import Refused
from havre.formats.manifest import ManifestEntry
from havre.ports.sources import DeliveredFile
from havre.values import Partition


class LandedFiles:
    """Finds the files of deliveries whose landing partitions are open."""

    def __init__(self, reader: VaultReader, *, partitions: Mapping[str, Partition]) -> None:
        """Read with keys that are lent.

        partitions: opaque id to what it is.
        """
        self._reader = reader
        self._partitions = partitions

    def list_files(self, note: DeliveryNote) -> dict[str, DeliveredFile]:
        """List a delivery's files that have rows, by path.

        Raises:
            Refused: something is listed that its holder did not sign for.
            NotGenuine: an object is not what the holder signed for.
        """
        parts = self._parts(note)
        return {
            count.path: self._delivered(note, count, parts[count.path])
            for count in note.files
            if parts.get(count.path)
        }

    def _parts(self, note: DeliveryNote) -> dict[str, list[tuple[ReadPlace, ManifestEntry]]]:
        """The sealed parts of every file, by path, in the order they were written."""
        found: dict[str, list[tuple[ReadPlace, ManifestEntry]]] = {}
        place = ReadPlace(self._partitions[note.landing], note.landing)
        manifest = self._reader.read_manifest(
            note.manifest, place=place, sha256=note.objects[note.manifest]
        )
        for entry in manifest.entries:
            if note.objects.get(entry.object_id) != entry.sha256:
                raise Refused(f"Delivery {note.delivery} lists an object that is not in its note.")
            found.setdefault(entry.table, []).append((place, entry))
        return found

    def _delivered(
        self,
        note: DeliveryNote,
        count: FileCount,
        parts: Iterable[tuple[ReadPlace, ManifestEntry]],
    ) -> DeliveredFile:
        return DeliveredFile(
            note.delivery,
            count.path,
            [
                partial(self._reader.read_table, ListedFile(place, entry), encoded=True)
                for place, entry in parts
            ],
            count.sent,
            note.delimiter,
            frozenset(count.constants),
        )
