"""A custodian that is a process of its own, on this machine or another, asked over a channel."""

from __future__ import annotations

from collections.abc import Sequence

from havre.adapters.custody.wire import (
    encode_ceremony,
    encode_erasure,
    encode_request,
    parse_answer,
)
from havre.domain.custody import ShareRequest
from havre.domain.erasure_check import ErasureRequest
from havre.domain.resharing import CeremonyRequest
from havre.formats.canonical import encode_canonical
from havre.formats.wire import Message, said_by, to_base64
from havre.ports.channel import FOLLOW_WITHIN_S, Channel
from havre.ports.counters import CounterPage
from havre.ports.custody import SealedShares, ShareAnswer


class RemoteCustodian:
    """`ports.custody.Custodian` behind a channel."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    @property
    def name(self) -> str:
        """Its short name, as in the trust roots."""
        return self._channel.name

    def begin_ceremony(self, ceremony: str) -> bytes:
        """Ask for a one-time key."""
        said = self._channel.call("begin-ceremony", encode_canonical({"ceremony": ceremony}))
        with said_by(self.name):
            return Message(said, "key").binary("key")

    def accept(self, ceremony: str, shares: SealedShares) -> Sequence[str]:
        """Hand its shares over."""
        asked = {
            "ceremony": ceremony,
            "custodian": shares.custodian,
            "sealed": to_base64(shares.sealed),
        }
        said = self._channel.call("accept", encode_canonical({**asked}))
        with said_by(self.name):
            return Message(said, "partitions").texts("partitions")

    def release(self, request: ShareRequest) -> ShareAnswer:
        """Ask for its shares; it follows the log before it answers."""
        said = self._channel.call("release", encode_request(request), within_s=FOLLOW_WITHIN_S)
        with said_by(self.name):
            return parse_answer(said)

    def revoke(self, envelope: bytes) -> str:
        """Hand it an authority's decision."""
        said = self._channel.call("revoke", encode_canonical({"envelope": to_base64(envelope)}))
        with said_by(self.name):
            return Message(said, "permit").text("permit")

    def erase(self, request: ErasureRequest) -> bytes:
        """Have it destroy its shares; it follows the log before it answers."""
        said = self._channel.call("erase", encode_erasure(request), within_s=FOLLOW_WITHIN_S)
        with said_by(self.name):
            return Message(said, "certificate").binary("certificate")

    def confirm(self, request: CeremonyRequest) -> bytes:
        """Have it sign that its new shares are there."""
        said = self._channel.call("confirm", encode_ceremony(request), within_s=FOLLOW_WITHIN_S)
        with said_by(self.name):
            return Message(said, "acceptance").binary("acceptance")

    def retire(self, request: CeremonyRequest) -> bytes:
        """Have it destroy the shares that were replaced."""
        said = self._channel.call("retire", encode_ceremony(request), within_s=FOLLOW_WITHIN_S)
        with said_by(self.name):
            return Message(said, "certificate").binary("certificate")

    def give_mandate(self, envelope: bytes) -> None:
        """Hand it the controller's standing mandate for ingestion."""
        asked = encode_canonical({"envelope": to_base64(envelope)})
        said = self._channel.call("give-mandate", asked)
        with said_by(self.name):
            Message(said)

    def counter(self, first: int) -> CounterPage:
        """Ask for the signed head of its counter, and for receipts."""
        said = self._channel.call("counter", encode_canonical({"first": first}))
        with said_by(self.name):
            message = Message(said, "head", "receipts")
            return CounterPage(message.binary("head"), message.binaries("receipts"))

    def withdrawals(self) -> list[bytes]:
        """Ask for the decisions that authorities brought to it directly."""
        said = self._channel.call("withdrawals", encode_canonical({}))
        with said_by(self.name):
            return Message(said, "envelopes").binaries("envelopes")
