"""Private records on a journey: sealed to the one host that is to take them over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from havre.crypto.sealing import FileKey, open_stream, seal_key, seal_stream
from havre.formats.canonical import encode_canonical
from havre.formats.envelope import encode_header, split_header
from havre.formats.padding import pad_stream, unpad_stream
from havre.ports.tokens import Token
from havre.values import ObjectId


def seal_to_host(
    chunks: Iterable[bytes], *, to: bytes, name: ObjectId, origin: str
) -> Iterator[bytes]:
    """Seal a stream to a host's HPKE key.

    name: drawn for this stream alone.
    """
    key = FileKey.draw()
    header = encode_header(seal_key(key.raw, to=to, info=_context(name, origin)))
    yield header
    yield from seal_stream(pad_stream(chunks), key=key, object_id=name)


def open_at_host(
    chunks: Iterable[bytes], *, token: Token, name: ObjectId, origin: str
) -> Iterator[bytes]:
    """Open what `seal_to_host` sealed.

    Raises:
        NotGenuine: sealed to another host, or altered; it may come late.
    """
    sealed, rest = split_header(iter(chunks))
    key = token.open_key(sealed, info=_context(name, origin))
    yield from unpad_stream(open_stream(rest, key=key, object_id=name))


def _context(name: ObjectId, origin: str) -> bytes:
    return encode_canonical({"name": str(name), "origin": origin, "what": "havre/v1/records"})
