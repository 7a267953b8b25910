"""What the pages say of people who object, in French and in English; part of `words.WORDS`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

OPPOSITION_WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "oppositions": ("Oppositions", "Oppositions"),
        "OppositionsUpdated": (
            "Registre des oppositions : nouvelle liste",
            "Register of oppositions: a new list",
        ),
        "register_version": ("{0} · version {1}", "{0} · version {1}"),
    }
)
