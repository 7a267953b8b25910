"""How long keys are written to: the section `keys` of a hub's `havre.toml`."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from havre.bootstrap.place import CONFIGURATION
from havre.domain.rotation import RotationRule
from havre.errors import InvalidInput


def read_rotation_rule(folder: Path) -> RotationRule:
    """Read the rule of the hub in a directory; without the section, the default holds.

    Raises:
        InvalidInput: a field is unknown, or no whole number from 1 on.
    """
    try:
        told = tomllib.loads((folder / CONFIGURATION).read_text(encoding="utf-8")).get("keys", {})
    except OSError:
        # A hub that is being founded has no configuration yet.
        return RotationRule()
    return parse_rotation_rule(told)


def parse_rotation_rule(told: dict[str, Any]) -> RotationRule:
    """Read the section itself.

    Raises:
        InvalidInput: a field is unknown, or no whole number from 1 on.

    >>> parse_rotation_rule({"rotate_after_days": 7})
    RotationRule(days=7, openings=100)
    """
    known = {
        "rotate_after_days": RotationRule().days,
        "rotate_after_openings": RotationRule().openings,
    }
    told = {**known, **told}
    if set(told) != set(known) or any(type(each) is not int or each < 1 for each in told.values()):
        raise InvalidInput(
            f"The section keys of {CONFIGURATION} has another spelling than it should.",
            hint="Write rotate_after_days = 30 and rotate_after_openings = 100, or other numbers.",
        )
    return RotationRule(told["rotate_after_days"], told["rotate_after_openings"])
