"""A backup for the day on which a host is lost, and going on elsewhere on that day, wired.

Both commands can be run again after they were cut short.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from havre.adapters.log.files import LogFolder
from havre.adapters.machine.clock import SystemClock
from havre.adapters.outputs.folder import ShelfFolder
from havre.adapters.package.folder import FolderPackageReader, FolderPackageWriter
from havre.application.arrive import check_people, package_digest
from havre.application.audit import PublicLog
from havre.application.depart import Belongings, Packed
from havre.application.recover import Recovered, go_on, open_backup, take_records, take_stock
from havre.bootstrap.holders import publish_for_holders
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.leaving import read_card
from havre.bootstrap.new_place import (
    ARRIVING,
    NewPlace,
    Parties,
    begin_at,
    begun_before,
    packed_sheets,
    packed_words,
    take_log,
    write_durably,
)
from havre.bootstrap.place import CONFIGURATION, draft_place, parse_settings, settle_place
from havre.bootstrap.stores import open_objects
from havre.bootstrap.tokens import open_token
from havre.domain.departure import AssetClass
from havre.domain.events import Recovery
from havre.domain.trust import encode_trust_roots

_MOST_PUBLIC_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Remains:
    """What is left of a lost hub.

    backup: the newest that the standby host can open. parties: where custodians,
        escrow and witnesses are. stores: `[[stores]]` of the replicas that are left,
        as `havre.toml` has them; empty when the store lies in the new directory.
    site: somebody's copy of the public site, or null.
    """

    backup: Path
    parties: Path
    stores: str = ""
    site: Path | None = None

    def public_files(self) -> Iterator[bytes]:
        """Read the signed statements and receipts of the copy; only their hashes are believed."""
        for folder in ("register", "drills") if self.site else ():
            for path in sorted((self.site or Path()).joinpath(folder).rglob("*.json")):
                if path.is_file() and path.stat().st_size <= _MOST_PUBLIC_BYTES:
                    yield path.read_bytes()


def back_up(hub: OpenHub, *, name: str, card: Path, package: Path) -> Packed:
    """Pack the private records for the standby host of a card."""
    head = hub.log.head()
    texts = {
        "catalogue.json": (AssetClass.CATALOGUE, hub.catalogue.document()),
        f"configuration/{CONFIGURATION}": (
            AssetClass.PIPELINES,
            (hub.place.folder / CONFIGURATION).read_bytes(),
        ),
        **packed_sheets(hub.place.folder),
        **packed_words(hub.place.folder),
    }
    return hub.departure.back_up(
        name,
        host=read_card(card),
        signer=hub.token,
        package=FolderPackageWriter(package),
        belongings=Belongings(
            entries=LogFolder(hub.place.log).entries(0, head.size if head else 0),
            texts=texts,
            released=lambda request, file: _bytes(hub.place.site / "releases" / request / file),
            inbox=hub.inbox,
        ),
    )


def recover(
    folder: Path, *, remains: Remains, controller: Path, progress: Callable[[str], None]
) -> Recovered:
    """Go on with a lost hub in a directory whose host was prepared as a standby.

    Raises:
        Refused: there is a hub already, or somebody else than the controller signs.
        NotGenuine: the backup is not the hub's, or witnesses saw more of the log than
            any mirror has.
        Unavailable: too few witnesses.
    """
    begun_before(folder)
    new = NewPlace(folder, Parties.found_in(remains.parties), FolderPackageReader(remains.backup))
    progress("comparing the backup with a custodian's copy of the log")
    entries, head = new.longest_copy(progress)
    backup = open_backup(new.package, entries=entries, roots=new.roots)
    check_people(new.package, new.roots)
    digest = package_digest(new.package)
    begin_at(folder, digest)
    write_durably(folder / "party" / "trust.json", encode_trust_roots(new.roots))
    new.take_sheets(backup.manifest)
    new.take_words(backup.manifest)
    progress("opening the records")
    shelf = ShelfFolder(folder / "site" / "releases")
    released = take_records(new.arrival(), backup, entries=entries, shelf=shelf)
    progress("taking the log, and going on with it")
    take_log(new.log_files(), entries, head)
    index = _go_on(new, controller=controller, backup_sha256=digest)
    progress("looking for everything that the log names")
    place = draft_place(
        folder,
        custodians=new.parties.custodians,
        escrow=new.parties.escrow,
        witnesses=new.parties.witnesses,
        settings=parse_settings(b"".join(new.package.read(f"configuration/{CONFIGURATION}"))),
        stores=remains.stores,
    )
    log = PublicLog(LogFolder(folder / "site" / "log"), roots=new.roots)
    recovered = take_stock(
        backup,
        objects=open_objects(place),
        records=new.records(),
        log=log,
        released=released,
        index=index,
        public=remains.public_files(),
    )
    settle_place(folder)
    publish_for_holders(OpenHub(folder))
    (folder / ARRIVING).unlink()
    return recovered


def _go_on(new: NewPlace, *, controller: Path, backup_sha256: str) -> int:
    """Put the recovery on the log, or find it there from an attempt before."""
    journal = new.journal()
    # A head that waits, the mirror's or one of ours, goes out first.
    journal.resume()
    for logged in PublicLog(new.log_files(), roots=new.roots).entries():
        event = logged.event
        if isinstance(event, Recovery) and event.log_key == new.token.public.hex():
            return logged.index
    return go_on(
        journal,
        controller=open_token(controller),
        ours=new.token,
        backup_sha256=backup_sha256,
        roots=new.roots,
        clock=SystemClock(),
    )


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
