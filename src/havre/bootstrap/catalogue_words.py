"""What the operator says of its catalogue: the file `catalogue.toml` in the hub's directory."""

from __future__ import annotations

import tomllib
from pathlib import Path

from havre.domain.dataset_card import CatalogueCard, parse_cards
from havre.errors import InvalidInput

CARDS = "catalogue.toml"


def read_words(folder: Path) -> bytes:
    """Read the file as it is; nothing when there is none."""
    try:
        return (folder / CARDS).read_bytes()
    except OSError:
        return b""


def read_cards(folder: Path) -> CatalogueCard:
    """Read what the operator says; nothing when there is no such file.

    Raises:
        InvalidInput: the file is no TOML, or has a word otherwise than it should.
    """
    try:
        body = tomllib.loads(read_words(folder).decode("utf-8"))
    except ValueError as fault:
        raise InvalidInput(f"{CARDS} is not TOML: {fault}.") from None
    return parse_cards(body)
