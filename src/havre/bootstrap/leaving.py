"""A move from one directory to another: the old hub packed, the new one opened from the package.

Both commands can be run again after they were cut short. The old hub has left
when its log says so; the new one is there when `havre.toml` is, which is
written behind its first entry.
"""

from __future__ import annotations

import io
import json
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator
from importlib import metadata, resources
from importlib.resources.abc import Traversable
from pathlib import Path

from havre import __version__
from havre.adapters.inbox.folder import InboxFolder
from havre.adapters.log.files import LogFolder
from havre.adapters.objects.local import LocalObjects
from havre.adapters.outputs.folder import ShelfFolder
from havre.adapters.package.folder import (
    FolderPackageReader,
    FolderPackageWriter,
    name_settled,
    settled_folder,
)
from havre.application.arrive import (
    Parity,
    check_log,
    check_people,
    package_digest,
    read_package,
)
from havre.application.audit import PublicLog
from havre.application.depart import Belongings, NewHost, Packed
from havre.bootstrap.holders import publish_for_holders
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.new_place import (
    ARRIVING,
    HOST_CARD,
    NewPlace,
    Parties,
    begin_at,
    begun_before,
    check_new,
    packed_sheets,
    packed_words,
    take_log,
    write_durably,
)
from havre.bootstrap.place import CONFIGURATION, parse_settings, write_place
from havre.bootstrap.tokens import create_token, open_token
from havre.domain.assets import ASSETS
from havre.domain.departure import AssetClass, DepartureManifest
from havre.domain.trust import Role, encode_trust_roots
from havre.errors import InvalidInput, Refused


def prepare_host(folder: Path) -> Path:
    """Make a new host's keys, and the card that the controller takes to the old one.

    Returns the card's path; asked again, the same card.

    Raises:
        Refused: there is a hub in this directory, or something else.
    """
    card = folder / HOST_CARD
    if card.exists():
        return card
    check_new(folder)
    # Keys without a card were shown to nobody: an attempt before was cut short.
    shutil.rmtree(folder / "party", ignore_errors=True)
    token = create_token(folder / "party", name="hub", role=Role.HUB, operator="the new host")
    body = {
        "format": "havre/v1/host",
        "log_key": token.public.hex(),
        "seal_key": token.seal_public.hex(),
    }
    write_durably(card, (json.dumps(body, indent=1) + "\n").encode())
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
        from the longest of the custodians' and the escrow's own copies.

    Raises:
        Refused: there is a hub already, or something that is not ours.
        NotGenuine: something is missing or was changed, or the log was not handed to us.
    """
    begun = begun_before(folder)
    new = NewPlace(folder, Parties.found_in(parties), FolderPackageReader(package))
    progress("comparing the package with its manifest")
    manifest = read_package(new.package)
    entries, head = new.longest_copy(progress)
    if check_log(new.package, manifest, entries, ours=new.token.public) and not begun:
        raise Refused(
            "This departure has arrived already, somewhere else.",
            hint="Go to the hub that arrived; a package is opened once.",
        )
    check_people(new.package, new.roots)
    begin_at(folder, package_digest(new.package))
    write_durably(folder / "party" / "trust.json", encode_trust_roots(new.roots))
    new.take_sheets(manifest)
    new.take_words(manifest)
    progress("taking the objects")
    arrival = new.arrival()
    arrival.take_objects(manifest)
    inbox = InboxFolder(folder / "inbox", store=LocalObjects)
    waiting = arrival.take_deliveries(manifest, arrival.take_records(manifest), inbox=inbox)
    shelf = ShelfFolder(folder / "site" / "releases")
    released = arrival.take_releases(manifest, entries, shelf=shelf)
    progress("taking the log")
    take_log(new.log_files(), entries, head)
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
    texts |= packed_sheets(hub.place.folder)
    texts |= packed_words(hub.place.folder)
    for path in sorted(resources.files("havre.snds").joinpath("tables").iterdir(), key=str):
        texts[f"configuration/tables/{path.name}"] = (AssetClass.PIPELINES, path.read_bytes())
    return texts


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


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
