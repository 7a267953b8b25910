"""How a witness and a hub spell what they say to each other: one spelling for both sides."""

from __future__ import annotations

from collections.abc import Sequence

from havre.adapters.witness.local import WitnessWithoutMemory
from havre.domain.clocks import ClockWentBack
from havre.domain.statements import MissingSignature, WrongContext
from havre.domain.transparency import NotWitnessed
from havre.errors import HavreError, InvalidInput
from havre.formats.canonical import Json, encode_canonical
from havre.formats.notes import NoteSignature
from havre.formats.wire import Message, from_base64, to_base64
from havre.ports.witness import HandoverProof

# What a witness refuses with, below the kinds of `havre.errors`.
CARRIED: tuple[type[HavreError], ...] = (
    ClockWentBack,
    MissingSignature,
    NotWitnessed,
    WitnessWithoutMemory,
    WrongContext,
)


def encode_head(
    note: bytes, *, old_size: int, proof: Sequence[bytes], handovers: Sequence[HandoverProof]
) -> bytes:
    """Write the head that a hub offers."""
    return encode_canonical(
        {
            "handovers": [
                {
                    "entry": to_base64(each.entry),
                    "index": each.index,
                    "proof": [to_base64(node) for node in each.proof],
                }
                for each in handovers
            ],
            "note": to_base64(note),
            "old_size": old_size,
            "proof": [to_base64(node) for node in proof],
        }
    )


def parse_head(body: bytes) -> tuple[bytes, int, list[bytes], list[HandoverProof]]:
    """Read it strictly: the note, the size seen before, the proof, the handovers.

    Raises:
        InvalidInput: it is none.
    """
    message = Message(body, "handovers", "note", "old_size", "proof")
    return (
        message.binary("note"),
        message.number("old_size"),
        message.binaries("proof"),
        [_parse_handover(each) for each in message.items("handovers")],
    )


def _parse_handover(value: Json) -> HandoverProof:
    if not isinstance(value, dict) or set(value) != {"entry", "index", "proof"}:
        raise InvalidInput("A handover of a message has other fields than it should have.")
    index, proof = value["index"], value["proof"]
    if type(index) is not int or not isinstance(proof, list):
        raise InvalidInput("A handover of a message is not of the form it should have.")
    return HandoverProof(from_base64(value["entry"]), index, tuple(map(from_base64, proof)))


def encode_cosignature_line(line: NoteSignature) -> bytes:
    """Write a witness's answer."""
    return encode_canonical(
        {
            "name": line.name,
            "short_id": to_base64(line.short_id),
            "signature": to_base64(line.signature),
        }
    )


def parse_cosignature_line(body: bytes) -> NoteSignature:
    """Read it strictly.

    Raises:
        InvalidInput: it is none.
    """
    message = Message(body, "name", "short_id", "signature")
    return NoteSignature(
        message.text("name"), message.binary("short_id"), message.binary("signature")
    )
