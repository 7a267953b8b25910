"""The head of a sealed object that is no Parquet file: its own key, sealed.

`havre/v1/sealed` and a newline, the length of the sealed key in two bytes (big
endian), the sealed key; then the stream of `docs/protocols.md`, section 3.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from havre.errors import InvalidInput

_MAGIC = b"havre/v1/sealed\n"

# A sealed key is about 1.2 KiB with the hybrid of ML-KEM-768 and X25519.
_MAX_KEY_BYTES = 8192


def encode_header(sealed_key: bytes) -> bytes:
    """Write the head.

    Raises:
        ValueError: no key, or one longer than 8 KiB.
    """
    if not 0 < len(sealed_key) <= _MAX_KEY_BYTES:
        raise ValueError("a sealed key has between 1 and 8192 bytes")
    return _MAGIC + len(sealed_key).to_bytes(2, "big") + sealed_key


def split_header(chunks: Iterable[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """Read the head and leave the rest of the stream.

    chunks: of any sizes; read only as far as needed.

    Returns the sealed key, and the chunks after it.

    Raises:
        InvalidInput: the bytes do not begin like a sealed object.

    >>> sealed, rest = split_header([encode_header(b"key") + b"bo", b"dy"])
    >>> sealed, b"".join(rest)
    (b'key', b'body')
    """
    pieces = iter(chunks)
    start = len(_MAGIC) + 2
    head = _filled(b"", pieces, size_bytes=start)
    if head[: len(_MAGIC)] != _MAGIC:
        raise InvalidInput("An object does not begin like a sealed object.")
    length = int.from_bytes(head[len(_MAGIC) : start], "big")
    if not 0 < length <= _MAX_KEY_BYTES:
        raise InvalidInput("A sealed object's key has an impossible length.")
    head = _filled(head, pieces, size_bytes=start + length)
    return head[start : start + length], _rest(head[start + length :], pieces)


def _filled(head: bytes, pieces: Iterator[bytes], *, size_bytes: int) -> bytes:
    while len(head) < size_bytes:
        piece = next(pieces, None)
        if piece is None:
            raise InvalidInput("A sealed object ends in the middle of its head.")
        head += piece
    return head


def _rest(first: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from pieces
