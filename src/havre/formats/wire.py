"""What two parties say to each other over a channel: canonical JSON, read strictly.

A message is one object with exactly the fields that its act has; bytes are base64.
A refusal carries the name of its class, its sentence and its hint, so that the
caller raises what would have been raised in one process. What a stranger sends is
bounded, and its sentence holds nothing that could paint over a screen.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from havre.errors import (
    HavreError,
    Held,
    InvalidInput,
    NotFound,
    NotGenuine,
    Refused,
    Unavailable,
    Unprotected,
)
from havre.formats.canonical import Json, encode_canonical, parse_canonical

# The largest message is a ceremony's or a batch of the log's entries.
MAX_MESSAGE_BYTES = 32 * 1024 * 1024
MAX_REFUSAL_BYTES = 64 * 1024
_MOST_CHARACTERS = 4000
_KINDS: Mapping[str, type[HavreError]] = {
    kind.__name__: kind
    for kind in (InvalidInput, Refused, NotGenuine, NotFound, Unavailable, Held, Unprotected)
}


class Message:
    """One received message, whose fields are taken out by type.

    >>> Message(b'{"size":3}', "size").number("size")
    3
    """

    def __init__(self, body: bytes, *fields: str) -> None:
        """Read a message.

        Raises:
            InvalidInput: too long, not canonical JSON, or it has other fields.
        """
        value = parse_canonical(body, limit_bytes=MAX_MESSAGE_BYTES)
        if not isinstance(value, dict) or set(value) != set(fields):
            raise InvalidInput("A message has other fields than it should have.")
        self._fields = value

    def text(self, name: str) -> str:
        """Give a text."""
        value = self._fields[name]
        if not isinstance(value, str):
            raise InvalidInput(f"The field {name} of a message is no text.")
        return value

    def number(self, name: str) -> int:
        """Give a whole number."""
        value = self._fields[name]
        if type(value) is not int:
            raise InvalidInput(f"The field {name} of a message is no whole number.")
        return value

    def binary(self, name: str) -> bytes:
        """Give bytes."""
        return from_base64(self._fields[name])

    def binaries(self, name: str) -> list[bytes]:
        """Give a list of bytes."""
        return [from_base64(each) for each in self.items(name)]

    def texts(self, name: str) -> list[str]:
        """Give a list of texts."""
        values = self.items(name)
        if not all(isinstance(each, str) for each in values):
            raise InvalidInput(f"The field {name} of a message is no list of texts.")
        return [str(each) for each in values]

    def items(self, name: str) -> list[Json]:
        """Give a list, as it came."""
        value = self._fields[name]
        if not isinstance(value, list):
            raise InvalidInput(f"The field {name} of a message is no list.")
        return value

    def named_binaries(self, name: str) -> dict[str, bytes]:
        """Give bytes by name."""
        value = self._fields[name]
        if not isinstance(value, dict):
            raise InvalidInput(f"The field {name} of a message is no object.")
        return {key: from_base64(each) for key, each in value.items()}


@contextmanager
def said_by(party: str) -> Iterator[None]:
    """Name the party whose answer cannot be read: whatever speaks there, it is not Havre.

    Raises:
        NotGenuine: in place of the reader's complaint.
    """
    try:
        yield
    except InvalidInput:
        raise NotGenuine(
            f"{party} answers in another form than a service of Havre does.",
            hint="Look what stands at its address, and which version it is.",
        ) from None


def to_base64(content: bytes) -> str:
    """Spell bytes in a message."""
    return base64.b64encode(content).decode()


def from_base64(value: Json) -> bytes:
    """Read bytes of a message.

    Raises:
        InvalidInput: it is no base64, or not in its one spelling.
    """
    try:
        content = base64.b64decode(str(value), validate=True)
    except (ValueError, binascii.Error):
        raise InvalidInput("A message has bytes that are no base64.") from None
    if to_base64(content) != value:
        raise InvalidInput("A message has bytes in another spelling than the one of base64.")
    return content


def encode_refusal(fault: HavreError) -> bytes:
    """Write a refusal for whoever asked.

    >>> encode_refusal(Refused("No.")).decode()
    '{"class":"Refused","hint":"","kind":"Refused","message":"No."}'
    """
    kind = next(name for name, each in _KINDS.items() if isinstance(fault, each))
    return encode_canonical(
        {
            "class": type(fault).__name__,
            "hint": fault.hint[:_MOST_CHARACTERS],
            "kind": kind,
            "message": fault.message[:_MOST_CHARACTERS],
        }
    )


def parse_refusal(body: bytes, *, carried: Iterable[type[HavreError]] = ()) -> HavreError:
    """Read a refusal, and make the exception that it names; it is for the caller to raise.

    carried: the classes below the seven kinds that may be named; what names another
        one is read as its kind.

    Raises:
        InvalidInput: it is no refusal.

    >>> parse_refusal(encode_refusal(Refused("No.", hint="Ask later.")))
    Refused('No. Ask later.')
    """
    value = parse_canonical(body, limit_bytes=MAX_REFUSAL_BYTES)
    if not isinstance(value, dict) or set(value) != {"class", "hint", "kind", "message"}:
        raise InvalidInput("A refusal has other fields than it should have.")
    message, hint = (_shown(value[name]) for name in ("message", "hint"))
    kind = _KINDS.get(str(value["kind"]))
    if kind is None or not message:
        raise InvalidInput("A refusal is of no known kind.")
    named = {each.__name__: each for each in carried if issubclass(each, kind)}
    return named.get(str(value["class"]), kind)(message, hint=hint)


def _shown(value: Json) -> str:
    """Let a stranger's sentence stand on a screen, or refuse it."""
    if not isinstance(value, str) or len(value) > _MOST_CHARACTERS or not value.isprintable():
        raise InvalidInput("A refusal holds something that no screen should show.")
    return value
