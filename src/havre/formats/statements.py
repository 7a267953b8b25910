"""In-toto Statements in DSSE envelopes: what every signed act of a party is.

The payload is the canonical JSON of an in-toto Statement v1 whose first subject
is named by the log's origin and an id of ours; a drill's receipt names more, each
by the SHA-256 of what it was held on. The envelope is canonical JSON
too, its signatures in order of key, so that an envelope has one spelling.

Source: in-toto Statement v1; DSSE v1 (pre-authentication encoding, JSON envelope).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from havre.errors import InvalidInput
from havre.formats.canonical import Json, encode_canonical, parse_canonical

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
MAX_SIGNATURES = 16
# Only a drill's receipt names further subjects: what it was held on. Everything else
# is about one thing, and a second one in it would be read by nobody.
KINDS_ABOUT_MORE = frozenset({"havre/v1/drill"})
_SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Statement:
    """What somebody says.

    predicate_type: which sort of statement, such as `havre/v1/permit`.
    origin: the log it belongs to: a test hub's permit is worth nothing elsewhere.
    subject: id of what it is about: a permit's name, a delivery, a request.
    about: further subjects, name to SHA-256 (`KINDS_ABOUT_MORE`).
    """

    predicate_type: str
    origin: str
    subject: str
    predicate: Mapping[str, Json]
    about: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Envelope:
    """A statement's exact bytes, and signatures by public key (32 bytes)."""

    payload: bytes
    signatures: tuple[tuple[bytes, bytes], ...]


def signed_bytes(payload: bytes) -> bytes:
    """Make the bytes that are signed: DSSE's pre-authentication encoding.

    >>> signed_bytes(b"{}")
    b'DSSEv1 28 application/vnd.in-toto+json 2 {}'
    """
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def signed_payload(message: bytes) -> bytes:
    """Take the payload out of the bytes that are signed: the way back from `signed_bytes`.

    Raises:
        InvalidInput: these are no such bytes.

    >>> signed_payload(b"DSSEv1 28 application/vnd.in-toto+json 2 {}")
    b'{}'
    """
    payload = message.split(b" ", 4)[-1]
    if signed_bytes(payload) != message:
        raise InvalidInput("What is signed is no statement.")
    return payload


def encode_statement(statement: Statement) -> bytes:
    """Write a statement as the payload that is signed."""
    digest = hashlib.sha256(f"{statement.origin}\n{statement.subject}".encode()).hexdigest()
    named = {f"{statement.origin}#{statement.subject}": digest}
    subjects: list[Json] = [
        {"digest": {"sha256": sha256}, "name": name}
        for name, sha256 in (*named.items(), *sorted(statement.about.items()))
    ]
    return encode_canonical(
        {
            "_type": STATEMENT_TYPE,
            "predicate": dict(statement.predicate),
            "predicateType": statement.predicate_type,
            "subject": subjects,
        }
    )


def parse_statement(payload: bytes) -> Statement:
    """Read a payload strictly.

    Raises:
        InvalidInput: not canonical, or with a field missing, unknown or amiss.
    """
    body = parse_canonical(payload)
    try:
        if not isinstance(body, dict):
            raise TypeError
        subject, *more = _objects(body["subject"])
        origin, _, name = str(subject["name"]).rpartition("#")
        predicate, kind = body["predicate"], body["predicateType"]
        if not isinstance(predicate, dict) or not isinstance(kind, str) or not origin or not name:
            raise TypeError
        if more and kind not in KINDS_ABOUT_MORE:
            raise TypeError
        statement = Statement(kind, origin, name, predicate, dict(map(_named, more)))
    except (AttributeError, KeyError, TypeError, ValueError):
        raise InvalidInput("A statement is not an in-toto Statement of ours.") from None
    if encode_statement(statement) != payload:
        raise InvalidInput("A statement has a field or a digest that it should not have.")
    return statement


def encode_envelope(envelope: Envelope) -> bytes:
    """Write an envelope: signatures in order of key, key ids are the keys in hexadecimal."""
    signatures: list[Json] = [
        {"keyid": public.hex(), "sig": base64.b64encode(signature).decode()}
        for public, signature in sorted(envelope.signatures)
    ]
    return encode_canonical(
        {
            "payload": base64.b64encode(envelope.payload).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": signatures,
        }
    )


def parse_envelope(document: bytes) -> Envelope:
    """Read an envelope strictly.

    Raises:
        InvalidInput: another type, no or too many signatures, a key twice, or amiss.
    """
    body = parse_canonical(document)
    try:
        if not isinstance(body, dict) or body["payloadType"] != PAYLOAD_TYPE:
            raise TypeError
        signatures = tuple(
            (bytes.fromhex(str(line["keyid"])), base64.b64decode(str(line["sig"]), validate=True))
            for line in _objects(body["signatures"])
        )
        envelope = Envelope(base64.b64decode(str(body["payload"]), validate=True), signatures)
    except (KeyError, TypeError, ValueError, binascii.Error):
        raise InvalidInput("A signed statement is not a DSSE envelope of ours.") from None
    keys = {public for public, _ in signatures}
    if not 1 <= len(signatures) <= MAX_SIGNATURES or len(keys) != len(signatures):
        raise InvalidInput("A signed statement has no signature, too many, or one key twice.")
    if encode_envelope(envelope) != document:
        raise InvalidInput("A signed statement has a field or an order that it should not have.")
    return envelope


def _named(subject: dict[str, Json]) -> tuple[str, str]:
    digest = subject["digest"]
    sha256 = str(digest["sha256"]) if isinstance(digest, dict) else ""
    if not _SHA256.fullmatch(sha256):
        raise ValueError
    return str(subject["name"]), sha256


def _objects(value: Json) -> list[dict[str, Json]]:
    if not isinstance(value, list):
        raise TypeError
    objects = [each for each in value if isinstance(each, dict)]
    if len(objects) != len(value):
        raise TypeError
    return objects
