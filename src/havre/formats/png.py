"""A picture that is nothing but its pixels: the part of PNG that may leave.

PNG, third edition (W3C 2025), cut to one shape: eight bits of red, green and
blue, no transparency, no interlace, no part beside those that hold pixels. What
remains is the picture itself: a message in its lowest bits is limited by the
size of the file, not excluded.
"""

from __future__ import annotations

import struct
import zlib

from havre.errors import InvalidInput

MAX_BYTES = 512 * 1024
MAX_PIXELS = 4_000_000
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_RGB = 2
_CHANNELS = 3
_LAST_FILTER = 4
# Writers fill a buffer of at least this before they begin another part.
_LEAST_PART_BYTES = 8 * 1024
# A stream can hold blocks that unpack to nothing. Ours of the same bytes is the measure;
# other packers are a little worse.
_SLACK, _SLACK_BYTES = 1.25, 1024


def check_png(content: bytes) -> None:
    """Make sure that a file is a bare picture.

    Raises:
        InvalidInput: it is none, is too large, or carries anything else.
    """
    if len(content) > MAX_BYTES:
        raise InvalidInput(f"A picture is larger than {MAX_BYTES} bytes.")
    parts = _parts(content)
    kinds = [kind for kind, _ in parts]
    bodies = [body for _, body in parts[1:-1]]
    if kinds != [b"IHDR", *[b"IDAT"] * len(bodies), b"IEND"] or not bodies or parts[-1][1]:
        raise InvalidInput("A picture has other parts than IHDR, IDAT and IEND.")
    if any(len(body) < _LEAST_PART_BYTES for body in bodies[:-1]) or not bodies[-1]:
        raise InvalidInput("A picture is cut into more parts than it needs.")
    row_bytes, height = _shape(parts[0][1])
    _check_rows(b"".join(bodies), row_bytes=row_bytes, height=height)


def _parts(content: bytes) -> list[tuple[bytes, bytes]]:
    """Kind and body of each part, of a file that is made of whole parts with right checksums."""
    parts = []
    at = len(_SIGNATURE)
    while at + 12 <= len(content):
        (size,) = struct.unpack(">I", content[at : at + 4])
        kind, body = content[at + 4 : at + 8], content[at + 8 : at + 8 + size]
        checksum = content[at + 8 + size : at + 12 + size]
        if checksum != struct.pack(">I", zlib.crc32(kind + body)):
            raise InvalidInput("A picture has a wrong checksum.")
        parts.append((kind, body))
        at += 12 + size
    if not content.startswith(_SIGNATURE) or at != len(content) or len(parts) < 2:
        raise InvalidInput("A picture is no PNG, or something follows its end.")
    return parts


def _shape(header: bytes) -> tuple[int, int]:
    """Bytes of a row with its filter, and how many rows."""
    if len(header) != 13:
        raise InvalidInput("A picture's header has another length.")
    width, height, *rest = struct.unpack(">IIBBBBB", header)
    if rest != [8, _RGB, 0, 0, 0]:
        raise InvalidInput("A picture is not plain: eight bits, RGB, not interlaced.")
    if not 0 < width * height <= MAX_PIXELS:
        raise InvalidInput(f"A picture has no pixel, or more than {MAX_PIXELS}.")
    return 1 + width * _CHANNELS, height


def _check_rows(packed: bytes, *, row_bytes: int, height: int) -> None:
    stream = zlib.decompressobj()
    wanted = row_bytes * height
    try:
        # One byte more than there should be is asked for, and never more.
        rows = stream.decompress(packed, wanted + 1)
    except zlib.error:
        raise InvalidInput("A picture's pixels cannot be unpacked.") from None
    if len(rows) != wanted or not stream.eof or stream.unused_data:
        raise InvalidInput("A picture has more or fewer bytes than pixels.")
    if any(kind > _LAST_FILTER for kind in rows[::row_bytes]):
        raise InvalidInput("A picture has a filter that does not exist.")
    if len(packed) > _SLACK * len(zlib.compress(rows, 9)) + _SLACK_BYTES:
        raise InvalidInput("A picture is packed into more bytes than its pixels need.")
