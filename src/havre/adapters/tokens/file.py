"""A party's keys in its own directory, under a passphrase file.

A party's directory holds `party.toml` (who it is, where its key and passphrase
are), `key.json` (0600) and `trust.json`, the roots it believes, which it got
from elsewhere than the hub. The directory can be carried to another machine.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from havre.crypto.keyfiles import Stretch, lock_seeds, unlock_seeds
from havre.crypto.random import random_bytes
from havre.crypto.sealing import FileKey, PartitionKey, open_stream, seal_stream
from havre.crypto.signatures import SigningKey
from havre.domain.trust import Party, Role, TrustRoots, parse_trust_roots
from havre.errors import InvalidInput, NotFound, Refused
from havre.values import parse_name

_MACHINE_PASSPHRASE_BYTES = 32


@dataclass(frozen=True, slots=True)
class PartyConfig:
    """What `party.toml` says."""

    name: str
    role: Role
    operator: str
    key_file: str
    passphrase_file: str


class FileToken:
    """A party's directory; the key is opened when it is first needed, once a process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = _read_config(folder)

    @property
    def name(self) -> str:
        """The party's short name."""
        return self.config.name

    @property
    def public(self) -> bytes:
        """The Ed25519 public key, 32 bytes."""
        return self._signing.public

    @property
    def seal_public(self) -> bytes:
        """The HPKE public key that others seal to."""
        return self._sealing.public

    @property
    def party(self) -> Party:
        """The party as trust roots name it."""
        return Party(self.name, self.config.role, self.config.operator, self.public)

    def sign(self, message: bytes) -> bytes:
        """Sign a message."""
        return self._signing.sign(message)

    def open_key(self, sealed: bytes, *, info: bytes) -> bytes:
        """Open what was sealed to this party under the same `info`."""
        return self._sealing.open_key(sealed, info=info)

    def trust_roots(self) -> TrustRoots:
        """Read the roots that this party brought itself.

        Raises:
            NotFound: it has none.
        """
        return parse_trust_roots(_read(self.folder / "trust.json", "trust roots"))

    def create_secret(self, name: str) -> None:
        """Draw a secret of 32 bytes that this party alone keeps, such as a holder's stage 1.

        Raises:
            Refused: there is one of this name.
        """
        path = self.folder / f"{parse_name(name)}.secret.json"
        if path.exists():
            raise Refused(f"{self.name} has a secret {name} already.")
        locked = lock_seeds(
            {name: random_bytes(32)}, passphrase=self._passphrase, stretch=Stretch.MACHINE
        )
        _write_private(path, locked)

    def secret(self, name: str) -> bytes:
        """Open a secret that `create_secret` drew.

        Raises:
            NotFound: there is none of this name.
        """
        locked = _read(self.folder / f"{parse_name(name)}.secret.json", "secret")
        return unlock_seeds(locked, passphrase=self._passphrase)[name]

    def lock_epoch(self, number: int, seed: bytes) -> bytes:
        """Lock an epoch's seed under a key in a file of its own, beside the key file."""
        name = _epoch_name(number)
        self.create_secret(name)
        key = FileKey(self.secret(name))
        return b"".join(seal_stream([seed], key=key, object_id=name))

    def open_epoch(self, number: int, locked: bytes) -> bytes:
        """Open an epoch's seed."""
        name = _epoch_name(number)
        try:
            key = self.secret(name)
        except NotFound:
            raise Refused(f"{self.name} has destroyed the key of epoch {number}.") from None
        return b"".join(open_stream([locked], key=key, object_id=name))

    def destroy_epoch(self, number: int) -> None:
        """Remove an epoch's key file."""
        path = self.folder / f"{_epoch_name(number)}.secret.json"
        if path.exists():
            path.unlink()
            _sync_folder(self.folder)

    @cached_property
    def _passphrase(self) -> bytes:
        return _read(self.folder / self.config.passphrase_file, "passphrase file").strip()

    @cached_property
    def _seeds(self) -> dict[str, bytes]:
        locked = _read(self.folder / self.config.key_file, "key file")
        return unlock_seeds(locked, passphrase=self._passphrase)

    @cached_property
    def _signing(self) -> SigningKey:
        return SigningKey.from_seed(self._seeds["sign"])

    @cached_property
    def _sealing(self) -> PartitionKey:
        return PartitionKey.from_seed(self._seeds["seal"])


def create_party(folder: Path, *, name: str, role: Role, operator: str) -> FileToken:
    """Make a party's directory with new keys, and a passphrase of 256 random bits.

    Raises:
        Refused: the directory holds a party already.
    """
    parse_name(name)
    if (folder / "party.toml").exists():
        raise Refused(f"{folder.name} holds a party already.", hint="Name an empty directory.")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    passphrase = random_bytes(_MACHINE_PASSPHRASE_BYTES).hex().encode()
    seeds = {"sign": random_bytes(32), "seal": random_bytes(32)}
    locked = lock_seeds(seeds, passphrase=passphrase, stretch=Stretch.MACHINE)
    _write_private(folder / "passphrase", passphrase + b"\n")
    _write_private(folder / "key.json", locked)
    config = (
        f'name = "{name}"\nrole = "{role.value}"\noperator = "{_toml_safe(operator)}"\n'
        'key_file = "key.json"\npassphrase_file = "passphrase"\n'
    )
    (folder / "party.toml").write_text(config, encoding="utf-8")
    return FileToken(folder)


def _epoch_name(number: int) -> str:
    return f"epoch-{number}"


def _toml_safe(text: str) -> str:
    if set(text) & set('"\\\n'):
        raise InvalidInput("An operator's name holds a quote, a backslash or a newline.")
    return text


def _read_config(folder: Path) -> PartyConfig:
    try:
        body = tomllib.loads(_read(folder / "party.toml", "party").decode())
        return PartyConfig(**{**body, "role": Role(body["role"])})
    except (KeyError, TypeError, ValueError):
        raise InvalidInput(f"party.toml in {folder.name} cannot be read.") from None


def _read(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise NotFound(
            f"There is no {what} in {path.parent.name}, or it may not be read.",
            hint="Name the party's directory with --party or HAVRE_PARTY.",
        ) from None


def _write_private(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make a name, or its removal, durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
