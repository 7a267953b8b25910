"""Sizes that say little about what is inside: Padmé, and streams padded before they are sealed.

Small streams are the telling ones: a manifest's size counts the files that it lists.
So none is shorter than the floor, and above it lengths are rounded up as Padmé does.

Source: Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and
Communication with PURBs", PoPETs 2019, section 4; the mark of where a stream's
padding begins is that of ISO/IEC 7816-4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from havre.errors import NotGenuine

# Manifests of up to about forty files, rows set aside of most deliveries and tables of
# outputs are smaller than this, and so all of one size.
LEAST_BYTES = 64 * 1024
_MARK = b"\x80"
_PIECE_BYTES = 1024 * 1024


def pad_stream(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Add a mark and zeros, so that what is sealed has a size that says little.

    >>> len(b"".join(pad_stream([b"a manifest"])))
    65536
    """
    size_bytes = 0
    for chunk in chunks:
        size_bytes += len(chunk)
        yield chunk
    yield _MARK
    yield from _zeros(_padded_stream(size_bytes + 1) - size_bytes - 1)


def unpad_stream(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Give back what `pad_stream` was given; what may be padding is held back as a number.

    Raises:
        NotGenuine: there is no padding, or another than there should be; at the end.
    """
    total = given = zeros = 0
    marks = b""
    for chunk in chunks:
        total += len(chunk)
        body = chunk.rstrip(b"\0")
        if not body:
            zeros += len(chunk)
            continue
        # What was held back was no padding: something comes behind it.
        given += len(marks) + zeros
        yield marks
        yield from _zeros(zeros)
        zeros, marks = len(chunk) - len(body), body[-1:]
        if marks != _MARK:
            marks = b""
        body = body[: len(body) - len(marks)]
        given += len(body)
        yield body
    if not marks or total != _padded_stream(given + 1):
        raise NotGenuine("A sealed object does not end with the padding that it should have.")


def _padded_stream(size_bytes: int) -> int:
    return padded_size(max(size_bytes, LEAST_BYTES))


def _zeros(size_bytes: int) -> Iterator[bytes]:
    for at in range(0, size_bytes, _PIECE_BYTES):
        yield bytes(min(_PIECE_BYTES, size_bytes - at))


def padded_size(size_bytes: int) -> int:
    """Round a size up so that only its order and its first few bits remain visible.

    A size of n bits keeps about log2(n) leading bits; it grows by at most 12 %,
    and by less the larger it is.

    Raises:
        ValueError: the size is negative.

    >>> padded_size(9), padded_size(1_000_001)
    (10, 1015808)
    """
    if size_bytes < 0:
        raise ValueError("a size is not negative")
    if size_bytes < 2:
        return size_bytes
    exponent = size_bytes.bit_length() - 1
    dropped_bits = exponent - exponent.bit_length()
    mask = (1 << dropped_bits) - 1
    return (size_bytes + mask) & ~mask
