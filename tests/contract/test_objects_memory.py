"""The store in memory keeps the port's promises."""

from __future__ import annotations

import pytest

from contract.suite_objects import *  # noqa: F403
from fakes.objects import MemoryObjects


@pytest.fixture
def store() -> MemoryObjects:
    return MemoryObjects()
