"""A witness: cosigns a log's head if it continues the last one it saw.

Promised: what it has cosigned it remembers before it answers, so that it never
cosigns two histories.
What may be repeated: the same head, which gets a new cosignature with a new time.
What may block: the network.
Final errors: `NotGenuine` (signature, fork, rewritten past), `Refused` (restored
from a backup and not yet told a head). `Unavailable` is not final.
Who may call it: `application.journal`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from havre.formats.notes import NoteSignature


@dataclass(frozen=True, slots=True)
class HandoverProof:
    """Why another log key signs from now on: the entry, and that the log has it.

    entry: the exact bytes of the `Handover` event; index: its place.
    proof: of its inclusion in the head that is offered with it.
    """

    entry: bytes
    index: int
    proof: tuple[bytes, ...]


class Witness(Protocol):
    """One witness."""

    @property
    def name(self) -> str:
        """Its short name, as in the trust roots."""

    def size_seen(self, origin: str) -> int:
        """The size of the last head of this log that it cosigned; 0 when none.

        Raises:
            Refused: it was restored and does not know.
            Unavailable: it does not answer.
        """

    def cosign(
        self,
        note: bytes,
        *,
        old_size: int,
        proof: Sequence[bytes],
        handovers: Sequence[HandoverProof] = (),
    ) -> NoteSignature:
        """Cosign a head that continues the one it saw.

        note: the checkpoint, signed by the log.
        old_size: what it is thought to have seen last.
        proof: of consistency from `old_size` to the note's size.
        handovers: every change of the log's key from the last entry it saw on,
            in order; those it knows already may stand there again.

        Raises:
            NotGenuine: not signed by the log's key, or not a continuation.
            Refused: it saw another size last, or was restored from a backup.
            Unavailable: it does not answer.
        """
