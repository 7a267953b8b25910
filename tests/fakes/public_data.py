"""Public data of the SNDS that stand outside the tree, and what their absence means.

`HAVRE_SHARED` says where; by default they lie beside the checkout. A machine of
one's own may lack them. CI may not: there the promise would be kept by nobody.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("HAVRE_SHARED") or Path(__file__).parents[3] / "shared")
TABLES = SHARED / "snds-public-synthetic" / "tables.tar.gz"
SCHEMAS = SHARED / "snds-schema" / "schemas"

_MISSING = not (TABLES.is_file() and SCHEMAS.is_dir())
_IN_CI = os.environ.get("CI", "").casefold() in {"1", "true", "yes"}

needs_public_data = [
    pytest.mark.shared,
    pytest.mark.skipif(
        _MISSING and not _IN_CI,
        reason="the public tables of the SNDS are not here: name their folder in HAVRE_SHARED",
    ),
]


def public_data(test: Callable[[], None]) -> Callable[[], None]:
    """Mark one test as `needs_public_data` marks a file of them."""
    for mark in needs_public_data:
        test = mark(test)
    return test
