"""Three ways in which `havre demo` spoils a copy of a public site, each of which the verifier must notice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

_BUNDLE_ENTRIES = 256


def _first_bundle(site: Path) -> Path:
    """The file with the log's first entries, as the published head has it."""
    size = int((site / "log" / "checkpoint").read_text().split("\n")[1])
    entries = site / "log" / "tile" / "entries"
    return entries / "000" if size >= _BUNDLE_ENTRIES else entries / "000.p" / str(size)


def _one_byte(site: Path) -> Sequence[str]:
    path = _first_bundle(site)
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.write_bytes(bytes(body))
    return ()


def _one_order(site: Path) -> Sequence[str]:
    """Swap the first two entries."""
    path = _first_bundle(site)
    body = path.read_bytes()
    first = 2 + int.from_bytes(body[:2], "big")
    second = first + 2 + int.from_bytes(body[first : first + 2], "big")
    path.write_bytes(body[first:second] + body[:first] + body[second:])
    return ()


def _past_head(site: Path) -> Sequence[str]:
    """Show a head seen earlier that says something else of the past."""
    seen = site / "seen"
    lines = (site / "log" / "checkpoint").read_text().split("\n")
    lines[1] = str(int(lines[1]) - 1)
    seen.write_text("\n".join(lines))
    moved = seen.rename(site.parent / f"{site.name}.seen")
    return ("--seen", str(moved))


# What is spoiled, and by what; each returns more words for the verifier.
SPOILED: dict[str, Callable[[Path], Sequence[str]]] = {
    "one byte changed": _one_byte,
    "one order changed": _one_order,
    "one past head changed": _past_head,
}
