"""The key room: a short-lived process in which secrets are whole, and nowhere else.

Python cannot wipe memory, so a seed, a secret or a combined share is only ever
in a process that exits right after (`docs/protocols.md`, sections 2 and 4).
Promised: the one-time private key never leaves the room; only the keys that are
asked for come out; `close` ends the process.
What may be repeated: `unwrap`, `secret`. What may block: the start, a few tenths
of a second.
Final errors: `NotGenuine` (a share or a sealed key does not fit; the bad share's
custodian is named), `Unavailable` (the process died).
Who may call it: `application.vault.keys` and the ceremony.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from havre.ports.custody import SealedShares


@dataclass(frozen=True, slots=True)
class PartitionToMake:
    """A partition that a ceremony is to make: its opaque id and its text."""

    partition_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Recipient:
    """A custodian of a ceremony and its one-time public key."""

    custodian: str
    one_time_key: bytes


@dataclass(frozen=True, slots=True)
class Ceremony:
    """What comes out of a ceremony.

    public_keys: opaque partition id to HPKE public key.
    commitments: opaque partition id to custodian to the commitment of its share.
    sealed: each custodian's shares.
    """

    public_keys: Mapping[str, bytes]
    commitments: Mapping[str, Mapping[str, str]]
    sealed: Sequence[SealedShares]


@dataclass(frozen=True, slots=True)
class GivenShare:
    """One custodian's share on its way into the room.

    commitment: what the ceremony published of it.
    context: what the sealed share is bound to.
    text: which partition it is of, as the catalogue says.
    """

    custodian: str
    sealed: bytes
    commitment: str
    context: bytes
    text: str


@dataclass(frozen=True, slots=True)
class PartitionToReshare:
    """A partition that is to have new shares: which, its public key's SHA-256, enough old shares."""

    partition_id: str
    public_sha256: str
    shares: Sequence[GivenShare]


class OpenRoom(Protocol):
    """A room that waits for shares."""

    @property
    def one_time_key(self) -> bytes:
        """The HPKE public key that custodians seal to."""

    def check(self, shares: Sequence[GivenShare]) -> None:
        """Make sure that shares are what their custodian committed to; nothing is combined.

        Raises:
            NotGenuine: one does not open, cannot be read, was not committed to, or
                says it is of another partition; its custodian is named.
        """

    def load(self, partition_id: str, *, public_sha256: str, shares: Sequence[GivenShare]) -> None:
        """Combine exactly as many shares as are needed.

        Raises:
            NotGenuine: a share does not hold (as in `check`), or they make another
                key than the catalogue's.
            InvalidInput: too few or too many shares.
        """

    def reshare(
        self,
        partitions: Sequence[PartitionToReshare],
        *,
        recipients: Sequence[Recipient],
        threshold: int,
        origin: str,
        ceremony: str,
    ) -> Ceremony:
        """Combine the old shares of each partition, split its seed anew, seal the new shares.

        Nothing whole comes out, and no public key: they stay as they are.

        Raises:
            NotGenuine: a share does not hold, or they make another key than the catalogue's.
            InvalidInput: too few or too many shares.
        """

    def unwrap(self, partition_id: str, sealed: bytes, info: bytes) -> bytes:
        """Open one key that is sealed to a loaded partition.

        Raises:
            NotGenuine: it is sealed to another key or context.
        """

    def secret(self, partition_id: str) -> bytes:
        """Give a secret partition's 32 bytes.

        Raises:
            Refused: the partition is of another kind, or was not loaded.
        """


class KeyRoom(Protocol):
    """Opens rooms."""

    def make(
        self,
        partitions: Sequence[PartitionToMake],
        *,
        recipients: Sequence[Recipient],
        threshold: int,
        origin: str,
        ceremony: str,
    ) -> Ceremony:
        """Draw seeds, split them, seal the shares; nothing whole comes out."""

    def open(self) -> AbstractContextManager[OpenRoom]:
        """Start a room; it ends with the context."""
