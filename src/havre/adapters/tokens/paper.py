"""Epoch keys on paper: drawn here, written down by a person, and nowhere else.

The key never touches a disk: a process asks for its words when it opens the store,
and keeps what they open until it ends. Destroying the sheet erases what lay under
it, and only a person can do that and say so.
"""

from __future__ import annotations

import hashlib

from havre.adapters.tokens.party import PartyFolder
from havre.crypto.paper import secret_of, words_of
from havre.crypto.random import random_bytes
from havre.crypto.sealing import FileKey, PartitionKey, open_stream, seal_stream
from havre.errors import NotGenuine, Refused
from havre.ports.tokens import EpochDesk, EpochSheet


class OnPaper(PartyFolder):
    """A custodian whose epoch keys are on paper, whatever keeps its other keys.

    desk: where its person sits.
    """

    desk: EpochDesk

    def lock_epoch(self, number: int, seed: bytes) -> bytes:
        """Draw the epoch's key, have it written down and read back, and lock the seed under it.

        Raises:
            Refused: what was read back is not what was shown: the sheet is worth nothing.
        """
        key = random_bytes(32)
        epoch_key = hashlib.sha256(PartitionKey.from_seed(seed).public).hexdigest()
        self.desk.hand_over(EpochSheet(self.name, number, epoch_key, words_of(key)))
        if secret_of(self.desk.read_back(self.name, number)) != key:
            raise Refused(
                "These are the words of another sheet: the epoch is not begun.",
                hint="Destroy the sheet that was just written, and begin again.",
            )
        return b"".join(seal_stream([seed], key=FileKey(key), object_id=_name(number)))

    def open_epoch(self, number: int, locked: bytes) -> bytes:
        """Open an epoch's seed with the words of its sheet."""
        key = secret_of(self.desk.read(self.name, number))
        try:
            return b"".join(open_stream([locked], key=key, object_id=_name(number)))
        except NotGenuine:
            raise NotGenuine(
                f"The words are not those of epoch {number} of {self.name}.",
                hint="Take the sheet of that epoch. If it is that one, the store was altered.",
            ) from None

    def destroy_epoch(self, number: int) -> None:
        """Have the sheet destroyed."""
        self.desk.confirm_destroyed(self.name, number)


def _name(number: int) -> str:
    return f"epoch-{number}"
