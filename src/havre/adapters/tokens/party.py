"""A party's directory, whatever holds its keys.

It holds `party.toml` (who it is, where its keys are), `key.json` (0600: the keys,
locked) and `trust.json`, the roots that the party believes, which it got from
elsewhere than the hub. The directory can be carried to another machine; a
hardware token goes with it by itself.
"""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from havre.domain.trust import Role, TrustRoots, parse_trust_roots
from havre.errors import InvalidInput, NotFound, Refused
from havre.formats.token_uri import TokenPlace, parse_token_uri
from havre.values import parse_name

CONFIGURATION = "party.toml"
_TRUST = "trust.json"
_KEY_ID = re.compile("[0-9a-f]{32}")
KEY_FILE, PASSPHRASE_FILE = "key.json", "passphrase"


class EpochKeyAt(StrEnum):
    """What holds a custodian's epoch keys: its token, of whatever kind, or paper."""

    TOKEN = "token"
    PAPER = "paper"


@dataclass(frozen=True, slots=True)
class PartyConfig:
    """What `party.toml` says.

    key_file: the locked keys, beside `party.toml`.
    passphrase_file: what opens them, for a party without a token.
    token: where its hardware token is, or null.
    keys: which of the token's keys are this party's; 32 hexadecimal characters.
    epoch_key: what holds a custodian's epoch keys.
    """

    name: str
    role: Role
    operator: str
    key_file: str = KEY_FILE
    passphrase_file: str = ""
    token: TokenPlace | None = None
    keys: str = ""
    epoch_key: EpochKeyAt = EpochKeyAt.TOKEN


class PartyFolder:
    """What every party's directory says, before any key is opened."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = read_config(folder)

    @property
    def name(self) -> str:
        """The party's short name."""
        return self.config.name

    def trust_roots(self) -> TrustRoots:
        """Read the roots that this party brought itself.

        Raises:
            NotFound: it has none.
        """
        return parse_trust_roots(read_part(self.folder / _TRUST, "trust roots"))


def read_config(folder: Path) -> PartyConfig:
    """Read `party.toml`.

    Raises:
        NotFound: there is no party in this directory.
        InvalidInput: it cannot be read.
    """
    try:
        body: dict[str, Any] = tomllib.loads(read_part(folder / CONFIGURATION, "party").decode())
        if not all(isinstance(told, str) for told in body.values()):
            raise ValueError
        place = parse_token_uri(body["token"]) if "token" in body else None
        config = PartyConfig(
            **{
                **body,
                "role": Role(body["role"]),
                "token": place,
                "epoch_key": EpochKeyAt(body.get("epoch_key", EpochKeyAt.TOKEN)),
            }
        )
        # One or the other opens the keys.
        if bool(config.token) is bool(config.passphrase_file) or (
            config.token and not _KEY_ID.fullmatch(config.keys)
        ):
            raise ValueError
    except (KeyError, TypeError, ValueError):
        raise InvalidInput(f"party.toml in {folder.name} cannot be read.") from None
    return config


def begin_party(folder: Path, *, name: str, operator: str) -> None:
    """Make a party's directory, empty and private.

    Raises:
        Refused: the directory holds a party already.
        InvalidInput: the name or the operator cannot be written down.
    """
    parse_name(name)
    # Also keys without `party.toml` are somebody's: a file that was lost, or a creation
    # that was cut short. Which of the two, a person must say.
    if any((folder / each).exists() for each in (CONFIGURATION, KEY_FILE, PASSPHRASE_FILE)):
        raise Refused(
            f"{folder.name} holds a party already, or its keys.", hint="Name an empty directory."
        )
    if set(operator) & set('"\\') or not operator.isprintable():
        raise InvalidInput("An operator's name holds a quote, a backslash or a newline.")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)


def write_config(folder: Path, config: PartyConfig) -> None:
    """Write `party.toml`, last of all: a directory without it holds no party."""
    token = f'token = "{config.token.uri}"\nkeys = "{config.keys}"\n' if config.token else ""
    passphrase = f'passphrase_file = "{config.passphrase_file}"\n' if not config.token else ""
    paper = f'epoch_key = "{config.epoch_key}"\n' if config.epoch_key is EpochKeyAt.PAPER else ""
    text = (
        f'name = "{config.name}"\nrole = "{config.role.value}"\noperator = "{config.operator}"\n'
        f'key_file = "{config.key_file}"\n{passphrase}{token}{paper}'
    )
    beside = folder / f".{CONFIGURATION}"
    with beside.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(folder / CONFIGURATION)
    _sync_folder(folder)


def read_part(path: Path, what: str) -> bytes:
    """Read a file of a party's directory.

    Raises:
        NotFound: there is none, or it may not be read.
    """
    try:
        return path.read_bytes()
    except OSError:
        raise NotFound(
            f"There is no {what} in {path.parent.name}, or it may not be read.",
            hint="Name the party's directory with --party or HAVRE_PARTY.",
        ) from None


def write_private(path: Path, content: bytes) -> None:
    """Write a new file that its owner alone reads, down to the disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    _sync_folder(path.parent)


def remove_private(path: Path) -> None:
    """Remove a file, if it is there, so that after a crash it does not come back."""
    if path.exists():
        path.unlink()
        _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
