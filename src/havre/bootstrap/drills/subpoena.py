"""The subpoena drill, wired: what is seized is what the stores' hosts hold, and what is left elsewhere."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from havre.adapters.package.folder import FolderPackageReader
from havre.adapters.seizure.folders import SeizedFolders
from havre.adapters.seizure.stores import SeizedStores, SeizedTogether
from havre.application.arrive import package_digest
from havre.application.ceremony import PartitionCatalogue
from havre.application.depart import MANIFEST
from havre.application.drill.search import INBOX, search_seizure
from havre.application.drill.subpoena import Seized, SubpoenaDrill, SubpoenaRan
from havre.application.vault.inventory import read_inventory
from havre.application.vault.sealing import WritePlace
from havre.bootstrap.drills.desk import open_desk
from havre.bootstrap.drills.prediction import predict
from havre.bootstrap.drills.remnants import Remnants, draw_canary, remnants_of
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.stores import open_store, store_places
from havre.domain.departure import parse_manifest
from havre.domain.events import Departed, events_of
from havre.errors import HavreError, InvalidInput, NotFound
from havre.ports.seizure import Seizure
from havre.values import PartitionKind

_LAID_OPEN = "left"
# What whoever reads a value of a data set has, in the exposure model's terms.
_IN_THE_DATA = "base"
_MOST_CANARIES = 10
_LEAST_CHARACTERS = 8


def subpoena(
    hub: OpenHub,
    *,
    canaries: Path | None = None,
    also: Sequence[Path] = (),
    spoil: Callable[[Remnants], None] = lambda _left: None,
) -> SubpoenaRan:
    """Take the stores, the inbox, the log, what is left elsewhere and whatever else is named; search it.

    canaries: a text or CSV file with values that are known to be in the data.
    also: more places of the same host, such as a departure's package or a backup.
    spoil: what a test leaks before the search.
    """
    hub.journal.check_ours()
    texts = read_canaries(canaries) if canaries else []
    place = _landing_place(hub)
    with remnants_of(hub, place=place) as left:
        spoil(left)
        stores, seizure = _take_stores(hub)
        places = {INBOX: hub.place.inbox, **left.places}
        public = set(left.public)
        for number, folder in enumerate(also, 1):
            if not folder.is_dir():
                raise NotFound(f"There is no folder {folder.name} to seize.")
            places[f"also-{number}"] = folder
            public |= {(f"also-{number}", name) for name in _public_files(hub, folder)}
        seized = Seized(
            SeizedTogether(*seizure, SeizedFolders(places)),
            stores=stores,
            canaries={**left.canaries, **dict.fromkeys(texts, _IN_THE_DATA)},
            public=public,
            classes=left.classes,
            missed=tuple(_missed({**left.classes, **dict.fromkeys(stores, "store")})),
        )
        return open_subpoena(hub).run(
            seized, place=place, prediction=predict(hub), own=[draw_canary(), draw_canary()]
        )


def _landing_place(hub: OpenHub) -> WritePlace:
    known = PartitionCatalogue(hub.records, log=hub.log).list_living()
    landing = [each for each in known if each.partition.kind is PartitionKind.LANDING]
    if not landing:
        raise NotFound("There is no partition to plant a canary in.")
    return WritePlace(landing[-1].partition, landing[-1].partition_id, landing[-1].public_key)


def _take_stores(hub: OpenHub) -> tuple[frozenset[str], list[Seizure]]:
    """Take every byte of the stores that are directories, and every object of the others."""
    places = store_places(hub.place)
    folders = {each.name: each.path for each in places if each.path is not None}
    buckets = {each.name: open_store(hub.place, each) for each in places if each.path is None}
    inventory = read_inventory(hub.records, log=hub.log)
    sizes = {name: each.size_bytes or 0 for name, each in inventory.objects.items()}
    names = frozenset(each.name for each in places)
    return names, [SeizedFolders(folders), SeizedStores(buckets, sizes=sizes)]


def _missed(classes: Mapping[str, str]) -> Iterator[str]:
    """Lay a canary open at each place, and name the classes in which it is missed."""
    canary = draw_canary()
    for name, place in classes.items():
        with TemporaryDirectory(prefix="havre-drill-finder-") as folder:
            (Path(folder) / _LAID_OPEN).write_bytes(b"\0" * 77 + canary.encode() + b"\0" * 77)
            found = search_seizure(
                SeizedFolders({place: Path(folder)}),
                canaries=[canary],
                public_keys=frozenset(),
                # The log is public, and it would be a leak there all the same.
                public=frozenset({(place, _LAID_OPEN)}),
            )
        if not found.canaries_read:
            yield name


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
