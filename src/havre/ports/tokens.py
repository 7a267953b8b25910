"""What holds a party's private keys: a file under a passphrase, a hardware token.

Promised: the keys never leave the token through this port; it signs and opens.
What may be repeated: everything. What may block: a person entering a PIN.
Final errors: `Refused` (wrong passphrase or PIN), `NotGenuine` (what was to be
opened was sealed to somebody else, or altered). `Unavailable` is not: a token was
pulled out, and the same act succeeds once it is back.
Who may call it: whoever acts for the party, in its own process.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Token(Protocol):
    """One party's keys."""

    @property
    def name(self) -> str:
        """The party's short name, as in the trust roots."""

    @property
    def public(self) -> bytes:
        """The Ed25519 public key, 32 bytes."""

    @property
    def seal_public(self) -> bytes:
        """The HPKE public key that others seal to."""

    def sign(self, message: bytes) -> bytes:
        """Sign a message: 64 bytes."""

    def open_key(self, sealed: bytes, *, info: bytes) -> bytes:
        """Open what was sealed to `seal_public` under the same `info`.

        Raises:
            NotGenuine: sealed to another key, under another `info`, or altered.
        """


class EpochKeys(Protocol):
    """Holds a custodian's epoch keys outside its store, and destroys them one by one.

    A seed is given to be locked under a key that is held here alone; what comes
    back may lie on any disk. The number of an epoch that ended is not used again.
    """

    def lock_epoch(self, number: int, seed: bytes) -> bytes:
        """Make the key of an epoch and lock its seed of 32 bytes under it.

        Raises:
            Refused: this epoch has a key already.
            Unavailable: the token or paper is not there.
        """

    def open_epoch(self, number: int, locked: bytes) -> bytes:
        """Open the seed of an epoch.

        Raises:
            Refused: its key was destroyed, or is not held here.
            NotGenuine: what is to be opened was altered.
            Unavailable: the token or paper is not there.
        """

    def destroy_epoch(self, number: int) -> None:
        """Destroy the key of an epoch, if there is one; may be repeated.

        Raises:
            Unavailable: the token or paper is not there, and nothing was destroyed.
        """


@dataclass(frozen=True, slots=True)
class EpochSheet:
    """What is written on paper of an epoch's key, in clear nowhere else.

    epoch_key: SHA-256 of the epoch's public key, its name in certificates.
    words: the key, in order.
    """

    party: str
    number: int
    epoch_key: str
    words: tuple[str, ...]


class EpochDesk(Protocol):
    """Where a person sits who keeps epoch keys on paper.

    Everything blocks until the person has answered. `Held` is raised where nobody
    is there, or the person says no; what was asked is asked again later.
    """

    def hand_over(self, sheet: EpochSheet) -> None:
        """Give a new sheet to the person, once."""

    def read_back(self, party: str, number: int) -> str:
        """Have a sheet that was just written read back from the paper, in words."""

    def read(self, party: str, number: int) -> str:
        """Have the words of an epoch's sheet typed."""

    def confirm_destroyed(self, party: str, number: int) -> None:
        """Have a sheet destroyed, or hear that there is none."""


class CustodianToken(Token, EpochKeys, Protocol):
    """A custodian's token: it also holds the keys of its store's epochs."""
