"""Small pictures, good ones and others, written part by part."""

from __future__ import annotations

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def part(kind: bytes, body: bytes = b"") -> bytes:
    """One part of a PNG file, with its checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def header(
    *, width: int = 2, height: int = 1, depth: int = 8, colour: int = 2, lace: int = 0
) -> bytes:
    """The part that says how large a picture is."""
    return part(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, lace))


ROW = b"\x00" + b"\x10\x20\x30" * 2
PIXELS = zlib.compress(ROW, 9)


def png(*extra: bytes, head: bytes = header(), pixels: bytes = PIXELS, after: bytes = b"") -> bytes:
    """Two pixels, with `extra` parts before them and `after` behind the end."""
    return SIGNATURE + head + b"".join(extra) + part(b"IDAT", pixels) + part(b"IEND") + after
