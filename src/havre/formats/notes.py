"""Signed notes, checkpoints and witnesses' cosignatures, as C2SP spells them.

Text in, text out: this module makes the bytes that are signed and reads the
lines that carry signatures; the signatures themselves are made and checked by
whoever holds or knows the keys (`crypto.signatures`).

Source: C2SP signed-note, tlog-checkpoint and tlog-cosignature (cosignature/v1).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from havre.errors import InvalidInput

MAX_NOTE_BYTES = 64 * 1024
MAX_SIGNATURES = 64

# Signature types of the specification: they are part of a key's short id.
ED25519 = b"\x01"
COSIGNATURE_V1 = b"\x04"

_DASH = "— "
_LINE = re.compile(r"— (?P<name>[^ +]+) (?P<blob>[A-Za-z0-9+/]+={0,2})")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line: who says it is theirs, the short id of the key, the bytes."""

    name: str
    short_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class SignedNote:
    """A text that ends in a newline, and the signatures under it."""

    text: str
    signatures: tuple[NoteSignature, ...]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a log: its origin, how many entries, the root over them (32 bytes)."""

    origin: str
    size: int
    root: bytes


def short_key_id(name: str, public: bytes, *, kind: bytes) -> bytes:
    """Compute the four bytes that lead a reader to a key; they prove nothing.

    >>> short_key_id("example.com/log", bytes(32), kind=ED25519).hex()
    'a3ad76db'
    """
    return hashlib.sha256(name.encode() + b"\n" + kind + public).digest()[:4]


def encode_note(note: SignedNote) -> bytes:
    """Write a signed note: the text, an empty line, one line for each signature.

    Raises:
        ValueError: the text does not end in a newline, or a name has a space or a plus.
    """
    if not note.text.endswith("\n"):
        raise ValueError("a note's text ends in a newline")
    lines = []
    for signature in note.signatures:
        name = signature.name
        if not name or "+" in name or any(letter.isspace() for letter in name):
            raise ValueError("a signer's name is empty, or holds a space or a plus")
        blob = base64.b64encode(signature.short_id + signature.signature).decode()
        lines.append(f"{_DASH}{name} {blob}\n")
    return (note.text + "\n" + "".join(lines)).encode()


def parse_note(document: bytes) -> SignedNote:
    """Read a signed note strictly: what does not write back the same is refused.

    Raises:
        InvalidInput: too long, not UTF-8, control characters, no signature, or a line amiss.
    """
    if len(document) > MAX_NOTE_BYTES:
        raise InvalidInput("A signed note is too long.")
    try:
        text = document.decode()
        body, _, tail = text.rpartition("\n\n")
        lines = tail.removesuffix("\n").split("\n")
        if len(lines) > MAX_SIGNATURES:
            raise ValueError
        note = SignedNote(body + "\n", tuple(_parse_line(line) for line in lines))
        again = encode_note(note)
    except (ValueError, binascii.Error):
        raise InvalidInput("A signed note is not spelled as it should be.") from None
    if again != document or any(ord(letter) < 0x20 and letter != "\n" for letter in text):
        raise InvalidInput("A signed note is not spelled as it should be.")
    return note


def _parse_line(line: str) -> NoteSignature:
    match = _LINE.fullmatch(line)
    if match is None:
        raise ValueError("not a signature line")
    blob = base64.b64decode(match["blob"], validate=True)
    if len(blob) < 5:
        raise ValueError("a signature line without a signature")
    return NoteSignature(match["name"], blob[:4], blob[4:])


def checkpoint_text(checkpoint: Checkpoint) -> str:
    """Write the three lines that a log signs.

    >>> checkpoint_text(Checkpoint("example.com/log", 0, bytes(32))).splitlines()[1]
    '0'
    """
    root = base64.b64encode(checkpoint.root).decode()
    return f"{checkpoint.origin}\n{checkpoint.size}\n{root}\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """Read a checkpoint's text; extension lines are refused, we write none.

    Raises:
        InvalidInput: another number of lines, or a line amiss.
    """
    try:
        origin, size, root, rest = text.split("\n")
        read = Checkpoint(origin, int(size), base64.b64decode(root, validate=True))
    except (ValueError, binascii.Error):
        raise InvalidInput("A checkpoint is not spelled as it should be.") from None
    if rest or not origin or not _SIZE.fullmatch(size) or len(read.root) != 32:
        raise InvalidInput("A checkpoint is not spelled as it should be.")
    if checkpoint_text(read) != text:
        raise InvalidInput("A checkpoint is not spelled as it should be.")
    return read


def cosigned_message(text: str, *, unix_time: int) -> bytes:
    """Make the bytes that a witness signs: a time, and the checkpoint's text.

    unix_time: seconds since 1970, UTC, as the witness's clock says.
    """
    return f"cosignature/v1\ntime {unix_time}\n{text}".encode()


def encode_cosignature(unix_time: int, signature: bytes) -> bytes:
    """Put a witness's time before its signature, as its note line carries them."""
    return unix_time.to_bytes(8, "big") + signature


def parse_cosignature(blob: bytes) -> tuple[int, bytes]:
    """Part a cosignature line's bytes into the time (seconds) and the signature (64 bytes).

    Raises:
        InvalidInput: another length.
    """
    if len(blob) != 8 + 64:
        raise InvalidInput("A cosignature has another length than it should.")
    return int.from_bytes(blob[:8], "big"), blob[8:]
