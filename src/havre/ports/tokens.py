"""What holds a party's private keys: a file under a passphrase, a hardware token.

Promised: the keys never leave the token through this port; it signs and opens.
What may be repeated: everything. What may block: a person entering a PIN.
Final errors: `Refused` (wrong passphrase or PIN), `NotGenuine` (what was to be
opened was sealed to somebody else, or altered).
Who may call it: whoever acts for the party, in its own process.
"""

from __future__ import annotations

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
