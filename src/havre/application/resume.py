"""At the holder: what an attempt that was cut short has sealed of a delivery, file by file.

A file counts as sealed once its objects and the lines set aside of it are on their disks
and it is remembered. It is used again only where sealing it anew would give the same rows
to the same place: its bytes, layout, table, columns left behind, landing place and secret
are the same, and so is the program. Everything else is sealed anew, under new keys.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress

from havre import __version__
from havre.application.vault.sealing import VaultWriter, WritePlace
from havre.crypto.commitments import commit_to
from havre.domain.announcement import AnnouncedFile
from havre.domain.catalogue import BuiltTable
from havre.domain.catalogue_text import KnownTables, encode_catalogue
from havre.domain.delivery import LinesLost
from havre.domain.headers import HeaderReading
from havre.domain.sealed_file import FORMAT, SealedFile, encode_sealed_file, parse_sealed_file
from havre.errors import InvalidInput
from havre.formats.canonical import Json, encode_canonical
from havre.ports.inbox import UnfinishedDeliveries
from havre.ports.sources import DeliveryFolder
from havre.values import ObjectId


class SealedBefore:
    """The files of one delivery that are sealed whole, while it is not posted."""

    def __init__(
        self,
        delivery: str,
        *,
        kept: UnfinishedDeliveries,
        vault: Callable[[str, AbstractSet[ObjectId]], VaultWriter],
        origin: str,
    ) -> None:
        """Read what is remembered of a delivery; what cannot be read is not used.

        vault: writes where a delivery of this name waits until it is posted; some objects
            that wait there are kept, all others thrown away.
        """
        self._delivery = delivery
        self._kept = kept
        self._vault = vault
        self._origin = origin
        self._files: dict[str, SealedFile] = {}
        for document in kept.list_kept(delivery):
            with suppress(InvalidInput, LinesLost):
                file = parse_sealed_file(document, origin=origin)
                self._files[file.count.path] = file

    @property
    def landing(self) -> str | None:
        """The opaque id of the place where sealed files lie; null where there are none."""
        return next((file.partition_id for file in self._files.values()), None)

    def take_up(
        self, made_from: Mapping[str, str], *, place: WritePlace, folder: DeliveryFolder
    ) -> tuple[VaultWriter, dict[str, SealedFile]]:
        """Go on with what can be used again, and throw away all else that waits.

        made_from: by path, what each file is made from now (`source_of`).

        Returns what writes the other files, and those that are whole, by path.
        """
        fitting = {
            path: file
            for path, file in self._files.items()
            if made_from.get(path) == file.made_from and file.partition_id == place.partition_id
        }
        aside = folder.recall_aside(
            {path: file.aside for path, file in fitting.items() if file.aside is not None}
        )
        fitting = {
            path: file for path, file in fitting.items() if file.aside is None or path in aside
        }
        objects = {entry.object_id for file in fitting.values() for entry in file.entries}
        vault = self._vault(self._delivery, objects)
        return vault, {p: file for p, file in fitting.items() if vault.take_up(file.entries)}

    def add(self, file: SealedFile) -> None:
        """Remember a file, all of which is on its disks."""
        document = encode_sealed_file(file, origin=self._origin)
        self._kept.keep(self._delivery, file.count.path, document)

    def forget(self) -> None:
        """Forget all: the delivery is posted."""
        self._kept.forget(self._delivery)


def source_of(
    file: AnnouncedFile,
    *,
    table: BuiltTable,
    reading: HeaderReading,
    place: WritePlace,
    origin: str,
    secret: bytes,
) -> str:
    """Commit to everything that a sealed file is made from, under the holder's own secret.

    file: as announced; its bytes were compared with its hash.
    """
    layout = file.layout
    parts: dict[str, Json] = {
        "columns": [[each.name, each.start, each.width] for each in layout.columns],
        "constants": dict(file.constants),
        "delimiter": layout.delimiter,
        "encoding": layout.encoding,
        "havre": __version__,
        "kept": [*reading.kept],
        "kind": layout.kind.value,
        "left": [*reading.left],
        "notes": [*reading.notes],
        "origin": origin,
        "packing": layout.packing_of(file.path).value,
        "partition": place.partition.text,
        "partition_id": place.partition_id,
        "path": file.path,
        "public_key": hashlib.sha256(place.public_key).hexdigest(),
        "sha256": str(file.sha256),
        "table": hashlib.sha256(encode_catalogue(KnownTables((table,)))).hexdigest(),
        "unpacked_bytes": layout.unpacked_bytes,
    }
    return commit_to(encode_canonical(parts), label=FORMAT, salt=secret)
