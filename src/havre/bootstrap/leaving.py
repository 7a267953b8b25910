"""A move from one directory to another: the old hub packed, the new one opened from the package."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import resources
from pathlib import Path

from havre import __version__
from havre.adapters.log.files import LogFiles, LogFolder
from havre.adapters.log.mirror import MirrorFolder
from havre.adapters.machine.clock import SystemClock
from havre.adapters.objects.local import LocalObjects
from havre.adapters.outputs.folder import ShelfFolder
from havre.adapters.package.folder import FolderPackageReader, FolderPackageWriter
from havre.adapters.records.sql import SqlRecords
from havre.adapters.tokens.file import FileToken, create_party
from havre.application.arrive import Arrival, Parity
from havre.application.depart import NewHost, Packed
from havre.bootstrap.holders import publish_for_holders
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.place import CONFIGURATION, parse_settings, write_place
from havre.domain.departure import AssetClass, DepartureManifest
from havre.domain.trust import Role
from havre.errors import InvalidInput, NotFound, Refused
from havre.formats.notes import parse_checkpoint, parse_note

HOST_CARD = "host.json"


def prepare_host(folder: Path) -> Path:
    """Make a new host's keys, and the card that the controller takes to the old one.

    Returns the card's path.

    Raises:
        Refused: the host has keys already.
    """
    token = create_party(folder / "party", name="hub", role=Role.HUB, operator="the new host")
    card = folder / HOST_CARD
    body = {
        "format": "havre/v1/host",
        "log_key": token.public.hex(),
        "seal_key": token.seal_public.hex(),
    }
    card.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
    return card


def read_card(path: Path) -> NewHost:
    """Read a host's card.

    Raises:
        InvalidInput: it is none.
    """
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        return NewHost(bytes.fromhex(body["log_key"]), bytes.fromhex(body["seal_key"]))
    except (OSError, ValueError, KeyError, TypeError):
        raise InvalidInput(
            "The new host's card cannot be read.", hint="`havre arrive --prepare` writes one."
        ) from None


def depart(hub: OpenHub, *, name: str, card: Path, controller: Path, package: Path) -> Packed:
    """Pack a hub for the host of a card, and hand its log over."""
    head = hub.log.head()
    if head is None:
        raise NotFound("This hub has published nothing yet.")
    texts = {
        "catalogue.json": (AssetClass.CATALOGUE, hub.catalogue.document()),
        "code/version.json": (AssetClass.CODE, json.dumps({"havre": __version__}).encode()),
        f"configuration/{CONFIGURATION}": (
            AssetClass.PIPELINES,
            (hub.place.folder / CONFIGURATION).read_bytes(),
        ),
    }
    for path in sorted(resources.files("havre.snds").joinpath("tables").iterdir(), key=str):
        texts[f"configuration/tables/{path.name}"] = (AssetClass.PIPELINES, path.read_bytes())
    for path in sorted((hub.place.site / "releases").glob("[!.]*/*")):
        name_inside = f"releases/{path.parent.name}/{path.name}"
        texts[name_inside] = (AssetClass.JOBS, path.read_bytes())
    return hub.departure.depart(
        name,
        host=read_card(card),
        controller=FileToken(controller),
        package=FolderPackageWriter(package),
        entries=LogFolder(hub.place.log).entries(0, head.size),
        texts=texts,
    )


def arrive(
    folder: Path, *, package: Path, parties: Path, progress: Callable[[str], None]
) -> Parity:
    """Open a departed hub in a directory whose host was prepared.

    parties: where the custodians, the escrow and the witnesses are; the log comes
        from the longest of the custodians' own copies.

    Raises:
        Refused: there is a hub already.
        NotGenuine: something is missing or was changed, or the log was not handed to us.
    """
    if (folder / CONFIGURATION).exists():
        raise Refused("There is a hub in this directory already.", hint="Name an empty one.")
    token = FileToken(folder / "party")
    custodians = _named(parties, "custodian-*")
    (folder / "party" / "trust.json").write_bytes((custodians[0] / "trust.json").read_bytes())
    reader = FolderPackageReader(package)
    arrival = Arrival(
        package=reader,
        objects=LocalObjects(folder / "store"),
        records=SqlRecords(f"sqlite:///{folder.resolve()}/records.sqlite"),
        token=token,
        clock=SystemClock(),
    )
    progress("comparing the package with its manifest")
    manifest = arrival.manifest()
    mirror = _longest_mirror(custodians)
    size = mirror.held()
    entries = mirror.reader.entries(0, size)
    arrival.check_log(manifest, entries)
    progress("taking the objects")
    arrival.take_objects(manifest)
    arrival.take_records(manifest)
    _take_releases(folder, manifest, reader)
    progress("taking the log")
    _take_log(folder, entries, mirror.newest_note())
    write_place(
        folder,
        custodians=custodians,
        escrow=_named(parties, "escrow")[0],
        witnesses=_named(parties, "witness-*"),
        settings=parse_settings(b"".join(reader.read(f"configuration/{CONFIGURATION}"))),
    )
    hub = OpenHub(folder)
    hub.journal.resume()
    parity = arrival.finish(manifest, journal=hub.journal, log=hub.log)
    publish_for_holders(hub)
    return parity


def _named(parties: Path, pattern: str) -> list[Path]:
    found = sorted(path.parent for path in parties.glob(f"{pattern}/party.toml"))
    if not found:
        raise NotFound(f"There is no party {pattern} in {parties.name}.")
    return found


def _longest_mirror(custodians: list[Path]) -> MirrorFolder:
    mirrors = [
        MirrorFolder(folder / "mirror", roots=FileToken(folder).trust_roots())
        for folder in custodians
    ]
    return max(mirrors, key=lambda mirror: mirror.held())


def _take_releases(folder: Path, manifest: DepartureManifest, reader: FolderPackageReader) -> None:
    """Lay the released files out again: they are public, and stand on the log by their hashes."""
    releases: dict[str, dict[str, bytes]] = {}
    for file in manifest.of_class(AssetClass.JOBS):
        if file.path.startswith("releases/"):
            _, request, name = file.path.split("/")
            releases.setdefault(request, {})[name] = b"".join(reader.read(file.path))
    shelf = ShelfFolder(folder / "site" / "releases")
    for request, files in releases.items():
        shelf.put(request, files)


def _take_log(folder: Path, entries: list[bytes], note: bytes) -> None:
    """Write the log's files anew; its head is cosigned anew before it is published."""
    log = LogFiles(folder / "site" / "log", private=folder / "private")
    if parse_checkpoint(parse_note(note).text).size != len(entries):
        raise InvalidInput("A mirror's newest head does not end with its last entry.")
    with log.exclusive():
        log.append(entries, at=0)
        log.put_pending(note)
