"""Where the parties of a hub are: in directories, or at the addresses of their services."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any, TypeAlias

from havre.domain.service_address import ServiceAddress, is_address, parse_address
from havre.errors import InvalidInput

# A party's directory, or its address when it is a process of its own.
PartyPlace: TypeAlias = Path | ServiceAddress


def read_party(folder: Path, text: str) -> PartyPlace:
    """Read where one party is; paths are relative to the hub's directory.

    Raises:
        InvalidInput: an address is misspelled.
    """
    if not is_address(text):
        return folder / text
    address = parse_address(text)
    if address.socket:
        return ServiceAddress(address.name, socket=os.path.normpath(folder / address.socket))
    return address


def spell_party(folder: Path, place: PartyPlace) -> str:
    """Spell where one party is, for `havre.toml` in this directory."""
    if isinstance(place, Path):
        return os.path.relpath(place, folder)
    if place.socket and not place.socket.startswith("/run/"):
        # As with directories: hub and parties can be moved together.
        return f"unix:{os.path.relpath(place.socket, folder)}"
    return place.text


def read_parties(file: Path) -> tuple[list[PartyPlace], PartyPlace, list[PartyPlace]]:
    """Read where custodians, escrow and witnesses are, of a file with a section as in `havre.toml`.

    Paths are relative to the file's directory.

    Raises:
        InvalidInput: it lacks something, or an address is misspelled.
    """
    try:
        told = tomllib.loads(file.read_text(encoding="utf-8"))["parties"]
        return parse_parties(file.parent, told)
    except (OSError, ValueError, KeyError, TypeError):
        raise InvalidInput(
            f"{file.name} does not say where the parties are.",
            hint="Write a section [parties] with custodians, escrow and witnesses.",
        ) from None


def parse_parties(folder: Path, told: Any) -> tuple[list[PartyPlace], PartyPlace, list[PartyPlace]]:
    """Read the same from a section that was read already; what it lacks is a `KeyError`."""
    return (
        [read_party(folder, each) for each in told["custodians"]],
        read_party(folder, told["escrow"]),
        [read_party(folder, each) for each in told["witnesses"]],
    )
