"""The encodings of `domain.layout.ENCODINGS`, over whole blocks: what is no text in one, and the rest as UTF-8.

Every one of them writes ASCII as ASCII does, so that ends of line, delimiters and
quotes are found in the bytes as they are, and a line that is set aside is kept as it was.
"""

from __future__ import annotations

import codecs
from functools import cache
from typing import Any

import numpy as np

# The control characters of ISO 8859. No table has them, but text of Windows has quotes,
# dashes and the letters OE there: where they stand, the encoding was announced wrongly.
_CONTROLS = frozenset(range(0x80, 0xA0))


class TextEncoding:
    """One encoding. Make it with `encoding_of`.

    name: for a message.
    reason: why a line is set aside that is no text in it.
    undefined: of 256 bytes, which mean nothing; null for UTF-8, where it takes several to say.
    """

    def __init__(self, name: str) -> None:
        self.name = "UTF-8" if name == "utf-8" else name
        self.is_utf8 = name == "utf-8"
        self.reason = "invalid UTF-8" if self.is_utf8 else f"undefined in {name}"
        self.undefined: Any = None if self.is_utf8 else _undefined(name)

    def is_text(self, block: bytes) -> bool:
        """Tell whether every byte of a block means something."""
        if block.isascii():
            return True
        if self.undefined is not None:
            return not self.undefined[np.frombuffer(block, dtype=np.uint8)].any()
        try:
            block.decode("utf-8")
        except UnicodeDecodeError:
            return False
        return True

    def utf8(self, block: bytes) -> bytes:
        """Spell a block, which is text, in UTF-8."""
        if self.is_utf8 or block.isascii():
            return block
        return block.decode(self.name).encode("utf-8")


@cache
def encoding_of(name: str) -> TextEncoding:
    """Find an encoding by the name that `ENCODINGS` gives it."""
    return TextEncoding(name)


def _undefined(name: str) -> Any:
    decode = codecs.getdecoder(name)
    undefined = np.zeros(256, dtype=bool)
    for byte in range(256):
        try:
            text, _ = decode(bytes([byte]))
        except UnicodeDecodeError:
            undefined[byte] = True
        else:
            undefined[byte] = byte in _CONTROLS and text == chr(byte)
    return undefined
