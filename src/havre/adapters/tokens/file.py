"""A party's keys in its own directory, under a passphrase file.

Whoever reads the directory is the party: a hardware token (`pkcs11`) is what
keeps a stolen disk closed.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from havre.adapters.tokens.paper import OnPaper
from havre.adapters.tokens.party import (
    KEY_FILE,
    PASSPHRASE_FILE,
    EpochKeyAt,
    PartyConfig,
    PartyFolder,
    begin_party,
    read_part,
    remove_private,
    write_config,
    write_private,
)
from havre.crypto.keyfiles import Stretch, lock_seeds, unlock_seeds
from havre.crypto.random import random_bytes
from havre.crypto.sealing import FileKey, PartitionKey, open_stream, seal_stream
from havre.crypto.signatures import SigningKey
from havre.domain.trust import Party, Role
from havre.errors import NotFound, NotGenuine, Refused
from havre.values import parse_name

_MACHINE_PASSPHRASE_BYTES = 32


class FileToken(PartyFolder):
    """A party's directory; the key is opened when it is first needed, once a process."""

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

    def create_secret(self, name: str) -> None:
        """Draw a secret of 32 bytes that this party alone keeps, such as a holder's stage 1.

        Raises:
            Refused: there is one of this name.
        """
        path = self._secret_path(name)
        if path.exists():
            raise Refused(f"{self.name} has a secret {name} already.")
        locked = lock_seeds(
            {name: random_bytes(32)}, passphrase=self._passphrase, stretch=Stretch.MACHINE
        )
        write_private(path, locked)

    def secret(self, name: str) -> bytes:
        """Open a secret that `create_secret` drew.

        Raises:
            NotFound: there is none of this name.
            NotGenuine: what lies there is another one.
        """
        locked = read_part(self._secret_path(name), "secret")
        found = unlock_seeds(locked, passphrase=self._passphrase)
        if [*found] != [name]:
            raise NotGenuine(f"A secret of {self.name} lies under another secret's name.")
        return found[name]

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
        remove_private(self._secret_path(_epoch_name(number)))

    def _secret_path(self, name: str) -> Path:
        return self.folder / f"{parse_name(name)}.secret.json"

    @cached_property
    def _passphrase(self) -> bytes:
        return read_part(self.folder / self.config.passphrase_file, "passphrase file").strip()

    @cached_property
    def _seeds(self) -> dict[str, bytes]:
        locked = read_part(self.folder / self.config.key_file, "key file")
        return unlock_seeds(locked, passphrase=self._passphrase)

    @cached_property
    def _signing(self) -> SigningKey:
        return SigningKey.from_seed(self._seeds["sign"])

    @cached_property
    def _sealing(self) -> PartitionKey:
        return PartitionKey.from_seed(self._seeds["seal"])


class PaperFileToken(OnPaper, FileToken):
    """The same, with epoch keys on paper."""


def create_party(
    folder: Path,
    *,
    name: str,
    role: Role,
    operator: str,
    epoch_key_at: EpochKeyAt = EpochKeyAt.TOKEN,
) -> FileToken:
    """Make a party's directory with new keys, and a passphrase of 256 random bits.

    Raises:
        Refused: the directory holds a party already.
    """
    begin_party(folder, name=name, operator=operator)
    passphrase = random_bytes(_MACHINE_PASSPHRASE_BYTES).hex().encode()
    seeds = {"sign": random_bytes(32), "seal": random_bytes(32)}
    locked = lock_seeds(seeds, passphrase=passphrase, stretch=Stretch.MACHINE)
    write_private(folder / PASSPHRASE_FILE, passphrase + b"\n")
    write_private(folder / KEY_FILE, locked)
    config = PartyConfig(
        name, role, operator, passphrase_file=PASSPHRASE_FILE, epoch_key=epoch_key_at
    )
    write_config(folder, config)
    return FileToken(folder)


def _epoch_name(number: int) -> str:
    return f"epoch-{number}"
