"""The subpoena drill, wired: what is seized is what the store's host holds, and what waits to go there."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from havre.adapters.package.folder import FolderPackageReader
from havre.adapters.seizure.folders import SeizedFolders
from havre.application.arrive import package_digest
from havre.application.ceremony import PartitionCatalogue
from havre.application.depart import MANIFEST
from havre.application.drill.search import INBOX
from havre.application.drill.subpoena import SubpoenaDrill, SubpoenaRan
from havre.application.vault.sealing import WritePlace
from havre.bootstrap.drills.desk import open_desk
from havre.bootstrap.hub import OpenHub
from havre.domain.departure import parse_manifest
from havre.domain.events import Departed, events_of
from havre.errors import HavreError, InvalidInput, NotFound
from havre.values import PartitionKind

_MOST_CANARIES = 10
_LEAST_CHARACTERS = 8


def subpoena(
    hub: OpenHub, *, canaries: Path | None = None, also: Sequence[Path] = ()
) -> SubpoenaRan:
    """Take the store, the inbox and whatever else is named, and search all of it.

    canaries: a text or CSV file with values that are known to be in the data.
    also: more places of the same host, such as a departure's package or a backup.
    """
    places = {"store": hub.place.store, INBOX: hub.place.inbox}
    public: set[tuple[str, str]] = set()
    for number, folder in enumerate(also, 1):
        if not folder.is_dir():
            raise NotFound(f"There is no folder {folder.name} to seize.")
        places[f"also-{number}"] = folder
        public |= {(f"also-{number}", name) for name in _public_files(hub, folder)}
    known = PartitionCatalogue(hub.records, log=hub.log).list_living()
    landing = [each for each in known if each.partition.kind is PartitionKind.LANDING]
    if not landing:
        raise NotFound("There is no partition to plant a canary in.")
    place = WritePlace(landing[-1].partition, landing[-1].partition_id, landing[-1].public_key)
    texts = read_canaries(canaries) if canaries else []
    return open_subpoena(hub).run(SeizedFolders(places), place=place, canaries=texts, public=public)


def open_subpoena(hub: OpenHub) -> SubpoenaDrill:
    """Make the drill for one hub."""
    return SubpoenaDrill(
        vault=hub.vault, objects=hub.objects, log=hub.log, roots=hub.roots, desk=open_desk(hub)
    )


def _public_files(hub: OpenHub, folder: Path) -> set[str]:
    """The public files of a departure's package, if it is one that the hub's log names.

    Only those that are what the manifest says: anything else there is a stranger's.
    """
    try:
        package = FolderPackageReader(folder)
        digest = package_digest(package)
        events = [logged.event for logged in hub.log.entries()]
        if all(each.manifest_sha256 != digest for each in events_of(events, Departed)):
            return set()
        manifest = parse_manifest(b"".join(package.read(MANIFEST)))
        packed = {file.path: file.sha256 for file in manifest.public_files}
        measured = {file.path: file.sha256 for file in package.measure()}
    except HavreError:
        return set()
    return {MANIFEST} | {path for path, sha in packed.items() if measured.get(path) == sha}


def read_canaries(path: Path) -> list[str]:
    """Read the first cells long enough to be told from chance, at most ten of them."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [
                row for _, row in zip(range(_MOST_CANARIES + 1), csv.reader(file), strict=False)
            ]
    except (OSError, UnicodeDecodeError):
        raise InvalidInput("The file of canaries cannot be read.") from None
    cells = [cell for row in rows[1:] for cell in row[1:2] if len(cell) >= _LEAST_CHARACTERS]
    if not cells:
        raise InvalidInput("The file of canaries has no second column of 8 characters or more.")
    return cells[:_MOST_CANARIES]
