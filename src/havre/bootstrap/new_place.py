"""A directory in which a hub is to appear: prepared, and without `havre.toml` until all is there.

What an arrival and a recovery share. Until the file is written no other command
finds a hub here, so whatever is half done can be done again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from havre.adapters.log.files import LogFiles
from havre.adapters.machine.clock import SystemClock
from havre.adapters.objects.local import LocalObjects
from havre.adapters.package.folder import FolderPackageReader
from havre.adapters.records.sql import SqlRecords
from havre.application.arrive import Arrival
from havre.application.journal import Journal
from havre.bootstrap.catalogue_words import CARDS, read_words
from havre.bootstrap.parties import ReachedMirror
from havre.bootstrap.party_places import PartyPlace, read_parties
from havre.bootstrap.place import CONFIGURATION
from havre.bootstrap.reaching import Reach
from havre.bootstrap.services import place_folder, socket_of
from havre.bootstrap.sheets import SHEETS, is_of_own_machine, list_sheet_files
from havre.bootstrap.tokens import open_token
from havre.domain.departure import AssetClass, DepartureManifest, named_paths
from havre.domain.following import Followed, follow
from havre.domain.shown import is_plain_file
from havre.domain.trust import TrustRoots
from havre.errors import HavreError, InvalidInput, NotFound, NotGenuine, Refused
from havre.formats.notes import parse_checkpoint, parse_note

HOST_CARD = "host.json"
# Says whose arrival was begun in a directory, until it is over.
ARRIVING = "arriving.json"
_PACKED_SHEETS = f"configuration/{SHEETS}/"
_PREPARED = frozenset({"party", HOST_CARD, f".{HOST_CARD}.part", f".{ARRIVING}.part"})


@dataclass(frozen=True, slots=True)
class Parties:
    """Where those are whom a hub asks: directories, or addresses of services."""

    custodians: list[PartyPlace]
    escrow: PartyPlace
    witnesses: list[PartyPlace]

    @staticmethod
    def found_in(where: Path) -> Parties:
        """Look in a directory of parties, or read a file with a section as in `havre.toml`.

        Raises:
            NotFound: there is no custodian, no escrow or no witness.
            InvalidInput: the file lacks somebody.
        """
        if where.is_file():
            return Parties(*read_parties(where))
        (escrow, *_) = _named(where, "escrow")
        return Parties(_named(where, "custodian-*"), escrow, _named(where, "witness-*"))


class NewPlace:
    """The parts of a hub that has no `havre.toml` yet, so that no other command opens it."""

    def __init__(self, folder: Path, parties: Parties, package: FolderPackageReader) -> None:
        self._folder = folder
        self.parties = parties
        self.package = package
        self.token = open_token(folder / "party")
        self.roots = self._roots()
        self._reach = Reach(folder / "party", log=folder / "site" / "log")

    def arrival(self) -> Arrival:
        """Unpacks what was packed."""
        return Arrival(
            package=self.package,
            objects=LocalObjects(self._folder / "store"),
            records=self.records(),
            token=self.token,
            clock=SystemClock(),
        )

    def log_files(self) -> LogFiles:
        """The log's files, with the right to write them."""
        return LogFiles(self._folder / "site" / "log", private=self._folder / "private")

    def journal(self) -> Journal:
        """The only writer of the log."""
        return Journal(
            store=self.log_files(),
            records=self.records(),
            token=self.token,
            roots=self.roots,
            witnesses=list(map(self._reach.witness, self.parties.witnesses)),
            mirrors=list(map(self._reach.mirror, (*self.parties.custodians, self.parties.escrow))),
        )

    def records(self) -> SqlRecords:
        """The private records."""
        return SqlRecords(f"sqlite:///{self._folder.resolve()}/records.sqlite")

    def take_sheets(self, manifest: DepartureManifest) -> None:
        """Take the hosts' fact sheets along, but that of the machine which was left."""
        for file in manifest.of_class(AssetClass.PIPELINES):
            name = file.path.removeprefix(_PACKED_SHEETS)
            if name == file.path or not is_plain_file(name):
                continue
            sheet = b"".join(self.package.read(file.path))
            if not is_of_own_machine(sheet, roots=self.roots):
                (self._folder / SHEETS).mkdir(exist_ok=True)
                write_durably(self._folder / SHEETS / name, sheet)

    def take_words(self, manifest: DepartureManifest) -> None:
        """Take along what the operator says of its datasets."""
        for file in manifest.of_class(AssetClass.PIPELINES):
            if file.path == f"configuration/{CARDS}":
                write_durably(self._folder / CARDS, b"".join(self.package.read(file.path)))

    def longest_copy(self, progress: Callable[[str], None]) -> tuple[list[bytes], bytes]:
        """Read the longest copy of the log that is one: its entries, and the head that they lead to.

        The escrow's counts too: a hub goes on as soon as one of them has its entries.
        Whose copy does not lead to a head that the log signed is passed over, and told.

        Raises:
            NotFound: nobody has any.
        """
        keepers = (*self.parties.custodians, self.parties.escrow)
        mirrors = [(_claimed(mirror), mirror) for mirror in map(self._reach.mirror, keepers)]
        for claimed, mirror in sorted(mirrors, key=lambda each: each[0], reverse=True):
            if claimed <= 0:
                continue
            try:
                note = mirror.newest_note()
                entries = mirror.entries(0, parse_checkpoint(parse_note(note).text).size)
                follow(Followed(), entries, note=note, roots=self.roots)
            except HavreError as fault:
                progress(f"passing over {mirror.name}: {fault.message}")
                continue
            return entries, note
        raise NotFound("No custodian has a copy of the log that leads to a head it signed.")

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


def _claimed(mirror: ReachedMirror) -> int:
    """Tell how many entries a copy is said to have; one that does not answer has nothing."""
    try:
        return mirror.held()
    except HavreError:
        return -1


def packed_words(hub: Path) -> dict[str, tuple[AssetClass, bytes]]:
    """What the operator says of its datasets, by its path in a package; nothing when it says nothing."""
    words = read_words(hub)
    return {f"configuration/{CARDS}": (AssetClass.PIPELINES, words)} if words else {}


def packed_sheets(hub: Path) -> dict[str, tuple[AssetClass, bytes]]:
    """The fact sheets of a hub's directory, each under its path in a package."""
    return {
        f"{_PACKED_SHEETS}{name}": (AssetClass.PIPELINES, sheet)
        for name, sheet in list_sheet_files(hub).items()
    }


def begun_before(folder: Path) -> bool:
    """Tell whether a hub's opening here was begun before and goes on now; else it must be empty.

    Raises:
        Refused: there is a hub already, or something that is not ours.
    """
    if (folder / ARRIVING).exists():
        return True
    check_new(folder)
    return False


def check_new(folder: Path) -> None:
    """Make sure that a directory has no hub, and nothing but what was prepared.

    Raises:
        Refused: it has.
    """
    if (folder / CONFIGURATION).exists():
        raise Refused("There is a hub in this directory already.", hint="Name an empty one.")
    _check_empty(folder)


def _check_empty(folder: Path) -> None:
    """Make sure that a directory holds nothing but what was prepared."""
    there = {path.name for path in folder.iterdir()} if folder.exists() else set()
    if strangers := there - _PREPARED:
        raise Refused(
            f"This directory holds something already: {named_paths(strangers)}.",
            hint="Name an empty one, or move that away; `havre arrive --prepare` comes first.",
        )


def begin_at(folder: Path, digest: str) -> None:
    """Note whose arrival this is, before the first byte of it."""
    mark = folder / ARRIVING
    text = json.dumps({"manifest_sha256": digest}).encode()
    if mark.exists() and mark.read_bytes() != text:
        raise Refused(
            "Another package was begun to be opened in this directory.",
            hint="Go on with that one, or prepare an empty directory.",
        )
    write_durably(mark, text)


def write_durably(path: Path, content: bytes) -> None:
    """Write a file so that after a crash it is the old one or the new one."""
    draft = path.with_name(f".{path.name}.part")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _named(parties: Path, pattern: str) -> list[PartyPlace]:
    found = sorted(path.parent for path in parties.glob(f"{pattern}/party.toml"))
    if not found:
        raise NotFound(f"There is no party {pattern} in {parties.name}.")
    return [socket_of(folder) or folder for folder in found]


def take_log(log: LogFiles, entries: list[bytes], note: bytes) -> None:
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
