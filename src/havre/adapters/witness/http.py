"""A witness that is a process of its own, on this machine or another, asked over a channel."""

from __future__ import annotations

from collections.abc import Sequence

from havre.adapters.witness.wire import encode_head, parse_cosignature_line
from havre.formats.canonical import encode_canonical
from havre.formats.notes import NoteSignature
from havre.formats.wire import Message, said_by, to_base64
from havre.ports.channel import Channel
from havre.ports.witness import HandoverProof


class RemoteWitness:
    """`ports.witness.Witness` behind a channel."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    @property
    def name(self) -> str:
        """Its short name, as in the trust roots."""
        return self._channel.name

    def size_seen(self, origin: str) -> int:
        """Ask what it saw last."""
        said = self._channel.call("size-seen", encode_canonical({"origin": origin}))
        with said_by(self.name):
            return Message(said, "size").number("size")

    def cosign(
        self,
        note: bytes,
        *,
        old_size: int,
        proof: Sequence[bytes],
        handovers: Sequence[HandoverProof] = (),
    ) -> NoteSignature:
        """Ask it to cosign."""
        asked = encode_head(note, old_size=old_size, proof=proof, handovers=handovers)
        said = self._channel.call("cosign", asked)
        with said_by(self.name):
            return parse_cosignature_line(said)

    def keep_decision(self, envelope: bytes) -> str:
        """Hand it an authority's decision."""
        asked = encode_canonical({"envelope": to_base64(envelope)})
        said = self._channel.call("keep-decision", asked)
        with said_by(self.name):
            return Message(said, "permit").text("permit")

    def withdrawals(self) -> list[bytes]:
        """Ask for the decisions that it keeps."""
        said = self._channel.call("withdrawals", encode_canonical({}))
        with said_by(self.name):
            return Message(said, "envelopes").binaries("envelopes")
