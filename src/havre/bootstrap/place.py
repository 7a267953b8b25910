"""Where a hub's things are: `havre.toml` in its directory, and the layout around it.

Paths in the file are relative to the hub's directory, so that a hub can be moved.
"""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from havre.bootstrap.party_places import PartyPlace, parse_parties, read_party, spell_party
from havre.bootstrap.store_places import StoreRules, read_stores
from havre.errors import InvalidInput, NotFound
from havre.ports.pages import SiteSettings

CONFIGURATION = "havre.toml"
# A founding works under this name; a hub is there once it has the other.
DRAFT = f"{CONFIGURATION}.part"
FORMAT = "havre/v1/hub"
_LANGUAGE = re.compile("(?:[a-z]{2})?")
_WIDEST = {
    ".": 0o711,
    CONFIGURATION: 0o600,
    DRAFT: 0o600,
    "party": 0o700,
    "private": 0o700,
    "receipts": 0o750,
}


@dataclass(frozen=True, slots=True)
class HubPlace:
    """One hub's directory, and the directories of those whom it asks.

    custodians: the daily ones. Each party stands in a directory, or answers at an address.
    settings: what the public site says of this hub that its log does not know.
    stores: those that the file names; without any, there is the directory `store`.
    former: who was a custodian and still has shares to give or to destroy.
    """

    folder: Path
    custodians: tuple[PartyPlace, ...]
    escrow: PartyPlace
    witnesses: tuple[PartyPlace, ...]
    records_url: str
    settings: SiteSettings
    stores: StoreRules = field(default_factory=StoreRules)
    former: tuple[PartyPlace, ...] = ()

    @property
    def party(self) -> Path:
        """The hub's own keys."""
        return self.folder / "party"

    @property
    def store(self) -> Path:
        """Ciphertext; may stand on anybody's machine."""
        return self.folder / "store"

    @property
    def site(self) -> Path:
        """What everybody may see, also the log."""
        return self.folder / "site"

    @property
    def log(self) -> Path:
        """The log's tiles and checkpoint."""
        return self.site / "log"

    @property
    def private(self) -> Path:
        """What the log has prepared and not published."""
        return self.folder / "private"

    @property
    def inbox(self) -> Path:
        """Sealed deliveries that wait."""
        return self.folder / "inbox"

    @property
    def receipts(self) -> Path:
        """Signed receipts for holders, with exact counts."""
        return self.folder / "receipts"

    @property
    def for_holders(self) -> Path:
        """What holders need: the catalogue, the landing partitions' public keys."""
        return self.folder / "holders"


def read_place(folder: Path) -> HubPlace:
    """Read `havre.toml`.

    Raises:
        NotFound: there is no hub in this directory.
        InvalidInput: the file misses something.
    """
    try:
        return _read(folder, CONFIGURATION)
    except OSError:
        if (folder / DRAFT).exists():
            raise NotFound(
                f"The hub in {folder.name or folder} is not finished: its founding was cut short.",
                hint="Run `havre init` again: it clears away what was begun, and begins anew.",
            ) from None
        raise NotFound(
            f"There is no hub in {folder.name or folder}.",
            hint="Name its directory with --hub or HAVRE_HUB, or make one with `havre init`.",
        ) from None


def find_draft(folder: Path) -> HubPlace | None:
    """Find the hub whose founding is under way here, or was cut short."""
    try:
        return _read(folder, DRAFT)
    except OSError:
        return None


def _read(folder: Path, name: str) -> HubPlace:
    try:
        body = tomllib.loads((folder / name).read_text(encoding="utf-8"))
    except ValueError as fault:
        raise InvalidInput(f"{CONFIGURATION} is not TOML: {fault}.") from None
    return _place(folder, body)


def _place(folder: Path, body: dict[str, Any]) -> HubPlace:
    try:
        if body["format"] != FORMAT:
            raise InvalidInput(f"{CONFIGURATION} is of another format than {FORMAT}.")
        custodians, escrow, witnesses = parse_parties(folder, body["parties"])
        return HubPlace(
            folder,
            tuple(custodians),
            escrow,
            tuple(witnesses),
            str(body["records"]["url"]).replace("{hub}", str(folder.resolve())),
            read_settings(body.get("site", {})),
            read_stores(body, folder=folder),
            tuple(read_party(folder, each) for each in body["parties"].get("former", ())),
        )
    except (KeyError, TypeError) as fault:
        raise InvalidInput(f"{CONFIGURATION} misses {fault}.") from None


def read_settings(told: Any) -> SiteSettings:
    """Read what the site says; nothing is claimed of a hub whose file says nothing.

    told: the section `site` of a hub's `havre.toml`.

    Raises:
        InvalidInput: a field is unknown, or of another type or spelling.
    """
    told = {"made_up": False, "language": "", **told}
    made_up, language = told.pop("made_up"), told.pop("language")
    if told or type(made_up) is not bool or not _LANGUAGE.fullmatch(language):
        raise InvalidInput(
            f"The section site of {CONFIGURATION} has another spelling than it should.",
            hint='Write made_up = true or false, and language = "fr", "en" or the like.',
        )
    return SiteSettings(made_up=made_up, language=language)


def parse_settings(document: bytes) -> SiteSettings:
    """Read the same section of a whole file, wherever its parties stood.

    Raises:
        InvalidInput: it is no such file, or the section is misspelled.
    """
    try:
        return read_settings(tomllib.loads(document.decode()).get("site", {}))
    except (TypeError, ValueError):
        raise InvalidInput(f"{CONFIGURATION} cannot be read.") from None


def close_place(folder: Path) -> None:
    """Take from other accounts what they have no business with in a hub's directory.

    Its keys, its records and what is not published yet are its owner's alone. The
    directory itself can be passed through and not listed: the site in it may be
    served, and the store and the inbox be opened to others, by their own modes.
    What is closed further already stays so; what belongs to another account is
    that account's business.
    """
    for name, widest in _WIDEST.items():
        path = folder / name
        if path.exists() and path.stat().st_uid == os.geteuid():
            mode = stat.S_IMODE(path.stat().st_mode)
            if mode & ~widest:
                path.chmod(mode & widest)


def write_place(
    folder: Path,
    *,
    custodians: Sequence[PartyPlace],
    escrow: PartyPlace,
    witnesses: Sequence[PartyPlace],
    settings: SiteSettings,
) -> HubPlace:
    """Write `havre.toml` for a hub whose parties stand in directories, or answer at addresses."""
    draft_place(
        folder, custodians=custodians, escrow=escrow, witnesses=witnesses, settings=settings
    )
    return settle_place(folder)


def draft_place(
    folder: Path,
    *,
    custodians: Sequence[PartyPlace],
    escrow: PartyPlace,
    witnesses: Sequence[PartyPlace],
    settings: SiteSettings,
    stores: str = "",
) -> HubPlace:
    """Write the same under the draft's name: until it is settled, no command finds a hub.

    stores: the sections `[[stores]]` and `[replicas]`, as they are to stand there.

    Raises:
        InvalidInput: those are misspelled.
    """

    def spelled(places: Sequence[PartyPlace]) -> str:
        return "[" + ", ".join(f'"{spell_party(folder, place)}"' for place in places) + "]"

    text = f"""\
# One hub. Paths are relative to this directory. Each party is a directory, or a process of
# its own: unix:PATH.sock or https://NAME@host:port (docs/services.md).
format = "{FORMAT}"

[records]
url = "sqlite:///{{hub}}/records.sqlite"

[parties]
custodians = {spelled(custodians)}
escrow = "{spell_party(folder, escrow)}"
witnesses = {spelled(witnesses)}

# What the public site says of this hub that its log does not know: whether the data are
# made up, and in which language its permits and studies are written.
[site]
made_up = {str(settings.made_up).lower()}
language = "{settings.language}"
{stores}"""
    fresh = folder / f".{DRAFT}"
    with fresh.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(folder / DRAFT)
    return _read(folder, DRAFT)


def settle_place(folder: Path) -> HubPlace:
    """Make the draft the hub's own file: from now on there is a hub."""
    # Notes of deliveries that wait hold counts: only who brings some is let in.
    (folder / "inbox").mkdir(exist_ok=True, mode=0o700)
    (folder / DRAFT).replace(folder / CONFIGURATION)
    close_place(folder)
    return read_place(folder)
