"""A picture is its pixels and not a byte besides: each place where bytes could hide is tried."""

from __future__ import annotations

import random
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.pictures import PIXELS, ROW, SIGNATURE, header, part, png
from havre.errors import InvalidInput
from havre.formats.png import MAX_BYTES, MAX_PIXELS, check_png

SECRET = b"1938,F,84,2022-03-01,E11\n" * 8_000
IDAT = part(b"IDAT", PIXELS)
END = part(b"IEND")


def large(width: int = 400, height: int = 300) -> tuple[bytes, bytes]:
    """The head of a larger picture, and rows that do not pack well."""
    noise = random.Random(1)
    rows = b"".join(b"\x00" + noise.randbytes(3 * width) for _ in range(height))
    return header(width=width, height=height), rows


HIDING = {
    "colours that no screen shows": png(part(b"gAMA", SECRET)),
    "colours that no screen shows, well made": png(part(b"gAMA", b"\x00\x00\xb1\x8f")),
    "a colour that is clear": png(part(b"tRNS", SECRET)),
    "a size in metres": png(part(b"pHYs", b"\x00\x00\x17\x12\x00\x00\x17\x12\x01")),
    "a background": png(part(b"bKGD", SECRET)),
    "primaries": png(part(b"cHRM", SECRET)),
    "an intent": png(part(b"sRGB", b"\x00")),
    "a comment": png(part(b"tEXt", b"Comment\x00hello")),
    "a camera's words": png(part(b"eXIf", b"MM")),
    "a part of its own": png(part(b"prVt", SECRET)),
    "a palette": png(part(b"PLTE", b"hello, this is no palette")),
    "a second head": png(header()),
    "something after the end": png(after=b"more"),
    "a second end": png(after=END),
    "an end with a body": SIGNATURE + header() + IDAT + part(b"IEND", b"more"),
    "no end": png()[:-12],
    "half an end": png()[:-4],
    "no pixels": SIGNATURE + header() + END,
    "no head": SIGNATURE + IDAT + END,
    "a thousand empty parts": png(*[part(b"IDAT")] * 1000),
    "an empty last part": SIGNATURE + header() + IDAT + part(b"IDAT") + END,
    "pixels byte by byte": SIGNATURE + header() + b"".join(part(b"IDAT", PIXELS[at:at + 1]) for at in range(len(PIXELS))) + END,
    "pixels after something else": SIGNATURE + header() + IDAT + part(b"tIME", b"1234567") + IDAT + END,
    "a filter that does not exist": png(pixels=zlib.compress(b"\xc8" + ROW[1:], 9)),
    "a byte of pixels too many": png(pixels=zlib.compress(ROW + b"x", 9)),
    "a byte of pixels too few": png(pixels=zlib.compress(ROW[:-1], 9)),
    "a row of pixels too many": png(pixels=zlib.compress(ROW * 2, 9)),
    "bytes after the pixels": png(pixels=PIXELS + b"more"),
    "pixels that are cut off": png(pixels=PIXELS[:-1]),
    "a wrong sum of its pixels": png(pixels=PIXELS[:-1] + bytes([PIXELS[-1] ^ 1])),
    "pixels that nobody sees": png(head=header(colour=6), pixels=zlib.compress(b"\x00" + b"abc\x00" * 2, 9)),
    "sixteen bits": png(head=header(depth=16), pixels=zlib.compress(b"\x00" + b"ab" * 6, 9)),
    "grey": png(head=header(colour=0), pixels=zlib.compress(b"\x00ab", 9)),
    "interlaced": png(head=header(lace=1)),
    "no rows": png(head=header(height=0), pixels=zlib.compress(b"")),
    "a bomb": png(head=header(width=MAX_PIXELS, height=2), pixels=zlib.compress(bytes(MAX_PIXELS))),
    "too many bytes": png() + bytes(MAX_BYTES),
    "another method": png(head=part(b"IHDR", struct.pack(">IIBBBBB", 2, 1, 8, 2, 0, 1, 0))),
    "a long head": png(head=part(b"IHDR", struct.pack(">IIBBBBB", 2, 1, 8, 2, 0, 0, 0) + b"x")),
    "a checksum that is wrong": png()[:-1] + b"x",
    "another kind of file": b"GIF89a",
    "nothing": b"",
}  # fmt: skip


@pytest.mark.parametrize("content", HIDING.values(), ids=HIDING.keys())
def test_what_is_no_bare_picture_stays(content: bytes) -> None:
    with pytest.raises(InvalidInput):
        check_png(content)


def test_a_bare_picture_may_leave() -> None:
    check_png(png())


def test_a_large_picture_in_several_parts_may_leave() -> None:
    head, rows = large()
    packed = zlib.compress(rows, 6)
    parts = b"".join(
        part(b"IDAT", packed[at : at + 65_536]) for at in range(0, len(packed), 65_536)
    )

    check_png(SIGNATURE + head + parts + END)


def test_a_stream_with_blocks_that_unpack_to_nothing_stays() -> None:
    head = header(width=400, height=300)
    rows = bytes(1201 * 300)
    whole = zlib.compressobj(9)
    packed = whole.compress(rows) + whole.flush(zlib.Z_FULL_FLUSH)
    empty = b"\x00\x00\x00\xff\xff" * 5_000
    stream = packed + empty + whole.flush()
    assert zlib.decompress(stream) == rows

    with pytest.raises(InvalidInput, match="more bytes than its pixels need"):
        check_png(png(head=head, pixels=stream))


@given(st.binary(max_size=300))
def test_no_bytes_are_a_picture_by_accident(content: bytes) -> None:
    with pytest.raises(InvalidInput):
        check_png(SIGNATURE + content)
