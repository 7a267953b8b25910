"""A move from one directory to another: the old hub packed, the new one opened from the package.

Both commands can be run again after they were cut short. The old hub has left
when its log says so; the new one is there when `havre.toml` is, which is
written behind its first entry.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata, resources
from importlib.resources.abc import Traversable
from pathlib import Path

from havre import __version__
from havre.adapters.inbox.folder import InboxFolder
from havre.adapters.log.files import LogFiles, LogFolder
from havre.adapters.machine.clock import SystemClock
from havre.adapters.objects.local import LocalObjects
from havre.adapters.outputs.folder import ShelfFolder
from havre.adapters.package.folder import (
    FolderPackageReader,
    FolderPackageWriter,
    name_settled,
    settled_folder,
)
from havre.adapters.records.sql import SqlRecords
from havre.application.arrive import (
    Arrival,
    Parity,
    check_log,
    check_people,
    package_digest,
    read_package,
)
from havre.application.audit import PublicLog
from havre.application.depart import Belongings, NewHost, Packed
from havre.application.journal import Journal
from havre.bootstrap.holders import publish_for_holders
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.parties import ReachedMirror
from havre.bootstrap.party_places import PartyPlace, read_parties
from havre.bootstrap.place import CONFIGURATION, parse_settings, write_place
from havre.bootstrap.reaching import Reach
from havre.bootstrap.services import place_folder, socket_of
from havre.bootstrap.sheets import SHEETS, is_of_own_machine, list_sheet_files
from havre.bootstrap.tokens import create_token, open_token
from havre.domain.assets import ASSETS
from havre.domain.departure import AssetClass, DepartureManifest, named_paths
from havre.domain.shown import is_plain_file
from havre.domain.trust import Role, TrustRoots, encode_trust_roots
from havre.errors import InvalidInput, NotFound, NotGenuine, Refused, Unavailable
from havre.formats.notes import parse_checkpoint, parse_note

HOST_CARD = "host.json"
# Says whose arrival was begun in a directory, until it is over.
ARRIVING = "arriving.json"
_PACKED_SHEETS = f"configuration/{SHEETS}/"
_PREPARED = frozenset({"party", HOST_CARD, f".{HOST_CARD}.part", f".{ARRIVING}.part"})


def prepare_host(folder: Path) -> Path:
    """Make a new host's keys, and the card that the controller takes to the old one.

    Returns the card's path; asked again, the same card.

    Raises:
        Refused: there is a hub in this directory, or something else.
    """
    card = folder / HOST_CARD
    if card.exists():
        return card
    if (folder / CONFIGURATION).exists():
        raise Refused("There is a hub in this directory already.", hint="Name an empty one.")
    _check_empty(folder)
    # Keys without a card were shown to nobody: an attempt before was cut short.
    shutil.rmtree(folder / "party", ignore_errors=True)
    token = create_token(folder / "party", name="hub", role=Role.HUB, operator="the new host")
    body = {
        "format": "havre/v1/host",
        "log_key": token.public.hex(),
        "seal_key": token.seal_public.hex(),
    }
    _write_durably(card, (json.dumps(body, indent=1) + "\n").encode())
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
    """Pack a hub for the host of a card, and hand its log over; or finish doing so."""
    host = read_card(card)
    if finished := _find_finished(hub, name, host, package):
        return finished
    # Before the package is begun, which throws away what an attempt before has left.
    hub.departure.check_may_leave(controller=open_token(controller))
    head = hub.log.head()
    return hub.departure.depart(
        name,
        host=host,
        controller=open_token(controller),
        package=FolderPackageWriter(package),
        belongings=Belongings(
            entries=LogFolder(hub.place.log).entries(0, head.size if head else 0),
            texts=_texts(hub),
            released=lambda request, file: _bytes(hub.place.site / "releases" / request / file),
            inbox=hub.inbox,
        ),
    )


def assets_of(manifest: DepartureManifest) -> list[dict[str, object]]:
    """The twelve asset classes of a package: how much of each, and how each is proved."""
    rows: list[dict[str, object]] = []
    for asset, rule in ASSETS.items():
        files = manifest.of_class(asset)
        rows.append(
            {
                "asset": asset.value,
                "files": len(files),
                "bytes": sum(file.size_bytes for file in files),
                "format": rule.format,
                "independent_reader": rule.reader,
                "parity_proof": rule.proof,
                "not_there_yet": rule.not_yet,
            }
        )
    return rows


def arrive(
    folder: Path, *, package: Path, parties: Path, progress: Callable[[str], None]
) -> Parity:
    """Open a departed hub in a directory whose host was prepared; or finish doing so.

    parties: where the custodians, the escrow and the witnesses are; the log comes
        from the longest of the custodians' own copies.

    Raises:
        Refused: there is a hub already, or something that is not ours.
        NotGenuine: something is missing or was changed, or the log was not handed to us.
    """
    begun = (folder / ARRIVING).exists()
    if (folder / CONFIGURATION).exists() and not begun:
        raise Refused("There is a hub in this directory already.", hint="Name an empty one.")
    if not begun:
        _check_empty(folder)
    new = _NewPlace(folder, _Parties.found_in(parties), FolderPackageReader(package))
    progress("comparing the package with its manifest")
    manifest = read_package(new.package)
    mirror = _longest_mirror(list(map(new.reach.mirror, new.parties.custodians)))
    entries = mirror.entries(0, mirror.held())
    if check_log(new.package, manifest, entries, ours=new.token.public) and not begun:
        raise Refused(
            "This departure has arrived already, somewhere else.",
            hint="Go to the hub that arrived; a package is opened once.",
        )
    check_people(new.package, new.roots)
    _begin(folder, package_digest(new.package))
    _write_durably(folder / "party" / "trust.json", encode_trust_roots(new.roots))
    _take_sheets(new.package, manifest, new)
    progress("taking the objects")
    arrival = new.arrival()
    arrival.take_objects(manifest)
    inbox = InboxFolder(folder / "inbox", store=LocalObjects)
    waiting = arrival.take_deliveries(manifest, arrival.take_records(manifest), inbox=inbox)
    shelf = ShelfFolder(folder / "site" / "releases")
    released = arrival.take_releases(manifest, entries, shelf=shelf)
    progress("taking the log")
    _take_log(new.log_files(), entries, mirror.newest_note())
    journal = new.journal()
    journal.resume()
    progress("looking for everything that the log names")
    log = PublicLog(LogFolder(folder / "site" / "log"), roots=new.roots)
    parity = arrival.finish(manifest, journal=journal, log=log, released=released, waiting=waiting)
    settings = parse_settings(b"".join(new.package.read(f"configuration/{CONFIGURATION}")))
    write_place(
        folder,
        custodians=new.parties.custodians,
        escrow=new.parties.escrow,
        witnesses=new.parties.witnesses,
        settings=settings,
    )
    publish_for_holders(OpenHub(folder))
    (folder / ARRIVING).unlink()
    return parity


@dataclass(frozen=True, slots=True)
class _Parties:
    """Where those are whom a hub asks: directories, or addresses of services."""

    custodians: list[PartyPlace]
    escrow: PartyPlace
    witnesses: list[PartyPlace]

    @staticmethod
    def found_in(where: Path) -> _Parties:
        """Look in a directory of parties, or read a file with a section as in `havre.toml`."""
        if where.is_file():
            return _Parties(*read_parties(where))
        (escrow, *_) = _named(where, "escrow")
        return _Parties(_named(where, "custodian-*"), escrow, _named(where, "witness-*"))


class _NewPlace:
    """The parts of a hub that has no `havre.toml` yet, so that no other command opens it."""

    def __init__(self, folder: Path, parties: _Parties, package: FolderPackageReader) -> None:
        self._folder = folder
        self.parties = parties
        self.package = package
        self.token = open_token(folder / "party")
        self.roots = self._roots()
        self.sheets = folder / SHEETS
        self.reach = Reach(folder / "party", log=folder / "site" / "log")

    def arrival(self) -> Arrival:
        return Arrival(
            package=self.package,
            objects=LocalObjects(self._folder / "store"),
            records=self._records(),
            token=self.token,
            clock=SystemClock(),
        )

    def log_files(self) -> LogFiles:
        return LogFiles(self._folder / "site" / "log", private=self._folder / "private")

    def journal(self) -> Journal:
        return Journal(
            store=self.log_files(),
            records=self._records(),
            token=self.token,
            roots=self.roots,
            witnesses=list(map(self.reach.witness, self.parties.witnesses)),
            mirrors=list(map(self.reach.mirror, (*self.parties.custodians, self.parties.escrow))),
        )

    def _records(self) -> SqlRecords:
        return SqlRecords(f"sqlite:///{self._folder.resolve()}/records.sqlite")

    def _roots(self) -> TrustRoots:
        """This host's own roots, if it was given some; otherwise a custodian's whose directory is here."""
        known = [place_folder(each) for each in self.parties.custodians]
        here = [each for each in known if each is not None and (each / "trust.json").is_file()]
        if not here:
            return self.token.trust_roots()
        roots = open_token(here[0]).trust_roots()
        if (self._folder / "party" / "trust.json").exists() and self.token.trust_roots() != roots:
            raise NotGenuine("The trust roots of this host and those of the custodians differ.")
        return roots


def _find_finished(hub: OpenHub, name: str, host: NewHost, package: Path) -> Packed | None:
    """The package of this very departure, if the log says that it took place."""
    places = [each for each in (package, settled_folder(package)) if each.is_dir()]
    for place in places:
        reader = FolderPackageReader(place)
        if found := hub.departure.find_finished(name, host=host, packages=[reader]):
            if place != package:
                name_settled(package)
            return found
    return None


def _texts(hub: OpenHub) -> dict[str, tuple[AssetClass, bytes]]:
    texts = {
        "catalogue.json": (AssetClass.CATALOGUE, hub.catalogue.document()),
        "code/havre.zip": (AssetClass.CODE, _source_archive()),
        "code/versions.json": (AssetClass.CODE, _versions()),
        f"configuration/{CONFIGURATION}": (
            AssetClass.PIPELINES,
            (hub.place.folder / CONFIGURATION).read_bytes(),
        ),
    }
    for name, sheet in list_sheet_files(hub.place.folder).items():
        texts[f"{_PACKED_SHEETS}{name}"] = (AssetClass.PIPELINES, sheet)
    for path in sorted(resources.files("havre.snds").joinpath("tables").iterdir(), key=str):
        texts[f"configuration/tables/{path.name}"] = (AssetClass.PIPELINES, path.read_bytes())
    return texts


def _take_sheets(package: FolderPackageReader, manifest: DepartureManifest, new: _NewPlace) -> None:
    """Take the hosts' fact sheets along, but that of the machine which was left."""
    for file in manifest.of_class(AssetClass.PIPELINES):
        name = file.path.removeprefix(_PACKED_SHEETS)
        if name == file.path or not is_plain_file(name):
            continue
        sheet = b"".join(package.read(file.path))
        if not is_of_own_machine(sheet, roots=new.roots):
            new.sheets.mkdir(exist_ok=True)
            _write_durably(new.sheets / name, sheet)


def _source_archive() -> bytes:
    """Havre's own files as they run; the same files give the same bytes."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in _walk(resources.files("havre"), "havre"):
            archive.writestr(zipfile.ZipInfo(name), path.read_bytes())
    return body.getvalue()


def _walk(folder: Traversable, name: str) -> Iterator[tuple[str, Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        path = f"{name}/{entry.name}"
        if entry.is_file():
            yield path, entry
        elif entry.name != "__pycache__":
            yield from _walk(entry, path)


def _versions() -> bytes:
    installed = {each.metadata["Name"].lower(): each.version for each in metadata.distributions()}
    body = {
        "havre": __version__,
        "packages": dict(sorted(installed.items())),
        "python": ".".join(map(str, sys.version_info[:3])),
    }
    return json.dumps(body, indent=1).encode()


def _check_empty(folder: Path) -> None:
    """Make sure that a directory holds nothing but what was prepared."""
    there = {path.name for path in folder.iterdir()} if folder.exists() else set()
    if strangers := there - _PREPARED:
        raise Refused(
            f"This directory holds something already: {named_paths(strangers)}.",
            hint="Name an empty one, or move that away; `havre arrive --prepare` comes first.",
        )


def _begin(folder: Path, digest: str) -> None:
    """Note whose arrival this is, before the first byte of it."""
    mark = folder / ARRIVING
    text = json.dumps({"manifest_sha256": digest}).encode()
    if mark.exists() and mark.read_bytes() != text:
        raise Refused(
            "Another package was begun to be opened in this directory.",
            hint="Go on with that one, or prepare an empty directory.",
        )
    _write_durably(mark, text)


def _write_durably(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.part")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _named(parties: Path, pattern: str) -> list[PartyPlace]:
    found = sorted(path.parent for path in parties.glob(f"{pattern}/party.toml"))
    if not found:
        raise NotFound(f"There is no party {pattern} in {parties.name}.")
    return [socket_of(folder) or folder for folder in found]


def _longest_mirror(mirrors: list[ReachedMirror]) -> ReachedMirror:
    """Find the custodian's copy that has most; one that does not answer has nothing."""

    def held(mirror: ReachedMirror) -> int:
        try:
            return mirror.held()
        except Unavailable:
            return -1

    return max(mirrors, key=held)


def _take_log(log: LogFiles, entries: list[bytes], note: bytes) -> None:
    """Write the log's files anew; its head is cosigned anew before it is published."""
    if parse_checkpoint(parse_note(note).text).size != len(entries):
        raise InvalidInput("A mirror's newest head does not end with its last entry.")
    with log.exclusive():
        # A head that waits, or is out, stands on entries that were all taken before.
        if log.pending() is None and not _is_published(log):
            log.append(entries, at=0)
            log.put_pending(note)


def _is_published(log: LogFiles) -> bool:
    try:
        return bool(log.checkpoint())
    except NotFound:
        return False
