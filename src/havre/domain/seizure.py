"""What whoever takes the store can look for: canaries in any spelling, clear text, keys.

Pure functions over bytes, for the subpoena drill. They look as an opponent with
time would: at texts as they are and as programs write them, at anything that
unpacks, at anything that is not as even as ciphertext, at anything that could
be a key of this hub.
"""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from havre.errors import HavreError
from havre.formats.statements import parse_envelope

# Ciphertext does not shrink; text and tables do. Measured on blocks of this size.
BLOCK_BYTES = 16 * 1024
_SHRINKS_BELOW = 0.92
_MOST_UNPACKED_BYTES = 4 * 1024 * 1024
_LEAST_UNPACKED_BYTES = 48
_PACKED = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]")


class Grave(StrEnum):
    """How bad a sighting is, the worst first."""

    CANARY = "canaries"
    KEY = "keys"
    CLEAR = "clear-bytes"


# What a drill concludes, by the worst that was found.
CONCLUSIONS: Mapping[Grave, str] = {
    Grave.CANARY: "failed: something that is known to be in the data can be read",
    Grave.KEY: "failed: a key can be read",
    Grave.CLEAR: "failed: clear bytes, in which nothing was found that was looked for",
}

# What our own clear files would begin with, and what others' would.
_MARKERS: Mapping[str, tuple[bytes, Grave]] = {
    "a database": (b"SQLite format 3\x00", Grave.CLEAR),
    "a private key": (b"PRIVATE KEY-----", Grave.KEY),
    "a clear text of ours": (b'"havre/v1/', Grave.CLEAR),
}

# Four bytes stand anywhere in 100 MB of ciphertext once in about 43 times; at one
# of two places, where a table file has them, nearly never. Half a file has one of the two.
_TABLE = b"PAR1"

_OBJECT = r"objects/[0-9a-f]{2}/[0-9a-f]{32}"
_HALF_WRITTEN = r"partial/[0-9a-f]{32}"
_DELIVERY = r"\.?[a-z0-9-]+"
NOTE = "a delivery's note"
PUBLIC = "a public file of a package"
_STRANGER = "a file that is not ours"
# What a file is, by its name in the place that was seized; the first that fits.
_KINDS: Mapping[str, re.Pattern[str]] = {
    "an object": re.compile(_OBJECT),
    "a half-written object": re.compile(_HALF_WRITTEN),
    "a claim": re.compile(r"\.claims/[a-z0-9-]+"),
    NOTE: re.compile(rf"{_DELIVERY}/note\.json"),
    "an object of a package": re.compile(r"(objects|inbox/[0-9a-f]{32})/[0-9a-f]{32}"),
    "sealed records of a package": re.compile(r"records/[0-9a-f]{32}"),
    "an object of a delivery": re.compile(rf"{_DELIVERY}/objects/{_OBJECT}"),
    "a half-written object of a delivery": re.compile(rf"{_DELIVERY}/objects/{_HALF_WRITTEN}"),
}
_KEY_TEXTS = re.compile(rb"[0-9a-fA-F]{64}|[A-Za-z0-9+/]{43}=")
SEED_BYTES = 32


@dataclass(frozen=True, slots=True)
class Sighting:
    """Something that should not be there: how bad, what, how it was spelled, in which seized file.

    file: where it was seized and its name there, as `shown_name` shows it; never content.
    """

    grave: Grave
    what: str
    spelling: str
    file: str


def kind_of(name: str) -> str:
    """Say what a seized file is, by its name in its place.

    >>> kind_of("objects/ab/" + "ab" * 16), kind_of("dcir-1/note.json"), kind_of("people.csv")
    ('an object', "a delivery's note", 'a file that is not ours')
    """
    fitting = (kind for kind, pattern in _KINDS.items() if pattern.fullmatch(name))
    return next(fitting, _STRANGER)


def shown_name(place: str, name: str, *, kind: str) -> str:
    """Show a seized file's name; a stranger's with digits in it may be somebody's, and is hidden.

    >>> shown_name("also-1", "left/185a.csv", kind=kind_of("left/185a.csv"))
    'also-1/left/########'
    """
    if kind == _STRANGER:
        parts = [
            part if re.fullmatch(r"[A-Za-z._-]+", part) else "#" * len(part)
            for part in name.split("/")
        ]
        name = "/".join(parts)
    return f"{place}/{name}"


def canary_name(number: int) -> str:
    """Name a canary without showing it, by its place among all of them, from 0.

    >>> canary_name(0)
    'canary 1'
    """
    return f"canary {number + 1}"


def is_note(content: bytes) -> bool:
    """Tell whether a file is one signed statement and nothing else, as a delivery's note is."""
    try:
        parse_envelope(content)
    except HavreError:
        return False
    return True


def spellings(text: str) -> dict[str, bytes]:
    """Spell a canary as programs write it; at least 8 characters, or chance would find it.

    Raises:
        ValueError: it is too short.

    >>> sorted(spellings("CANARY-1"))[:2]
    ['UTF-16', 'as it is']
    """
    if len(text) < 8:
        raise ValueError("a canary has at least 8 characters")
    raw = text.encode()
    found = {
        "as it is": raw,
        "backwards": raw[::-1],
        "hexadecimal": raw.hex().encode(),
        "hexadecimal, upper case": raw.hex().upper().encode(),
        "UTF-16": text.encode("utf-16-le"),
    }
    for shift in range(3):
        # The characters whose six bits lie inside the text, whatever stands around it.
        spelled = base64.b64encode(bytes(shift) + raw)
        start = -(-shift * 8 // 6)
        end = (shift + len(raw)) * 8 // 6
        found[f"base64 +{shift}"] = spelled[start:end]
    return found


class Needles:
    """Canaries in every spelling, and the markers of clear files."""

    def __init__(self, canaries: Iterable[str]) -> None:
        self._needles = [
            (Grave.CANARY, canary_name(number), spelling, needle)
            for number, canary in enumerate(canaries)
            for spelling, needle in spellings(canary).items()
        ]
        self._needles += [
            (grave, what, "as it is", marker) for what, (marker, grave) in _MARKERS.items()
        ]
        self.longest = max(len(needle) for *_, needle in self._needles)

    def find(self, content: bytes, *, file: str) -> Iterator[Sighting]:
        """Look for every needle, and in whatever unpacks."""
        yield from self._find(content, file=file, inside="")
        for match in _PACKED.finditer(content):
            packed = content[match.start() :]
            unpacked = unpack(packed)
            if unpacked is None:
                continue
            if not _is_only_stored(packed):
                yield Sighting(Grave.CLEAR, "packed clear bytes", "unpacked", file)
            yield from self._find(unpacked, file=file, inside=", packed")

    def _find(self, content: bytes, *, file: str, inside: str) -> Iterator[Sighting]:
        for grave, what, spelling, needle in self._needles:
            if needle in content:
                yield Sighting(grave, what, spelling + inside, file)


def is_table_file(*, head: bytes, tail: bytes) -> bool:
    """Tell whether a file begins or ends as a clear Parquet file does.

    head, tail: its first and its last bytes, at least four where it has them.

    >>> is_table_file(head=b"PAR1", tail=b"half"), is_table_file(head=b".PAR1", tail=b"PAR1.")
    (True, False)
    """
    return head.startswith(_TABLE) or tail.endswith(_TABLE)


def unpack(content: bytes) -> bytes | None:
    """Unpack a gzip or zlib stream that begins here; null when it is none.

    Two bytes that look like a beginning are common by chance: only what gives
    enough bytes counts.
    """
    try:
        unpacked = zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(content, _MOST_UNPACKED_BYTES)
    except zlib.error:
        return None
    return unpacked if len(unpacked) >= _LEAST_UNPACKED_BYTES else None


def _is_only_stored(packed: bytes) -> bool:
    """Tell whether a zlib stream begins with a block that is stored as it is, and not packed.

    Ciphertext looks like one in one of some seventy drills over 100 MB, and would give
    ciphertext back. What is stored there in clear is found as it stands.

    Source: RFC 1951 section 3.2.3; measured on 80 million beginnings.
    """
    return packed[:1] == b"\x78" and packed[2] & 0b110 == 0


def shrinks(block: bytes) -> bool:
    """Tell whether a block is less even than ciphertext; zeros, which pad, are left out.

    >>> shrinks(b"BEN_NIR_PSA;EXE_SOI_DTD;" * 200)
    True
    """
    full = block.replace(b"\x00", b"")
    if len(full) < 512:
        return False
    return len(zlib.compress(full, 1)) < len(full) * _SHRINKS_BELOW


def possible_keys(content: bytes) -> Iterator[bytes]:
    """Find what could be a seed of 32 bytes: written out as text, or a short file of its own."""
    if len(content) == SEED_BYTES:
        yield content
    for match in _KEY_TEXTS.finditer(content):
        text = match.group()
        yield bytes.fromhex(text.decode()) if len(text) == 64 else base64.b64decode(text)
