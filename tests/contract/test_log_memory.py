"""The log in memory keeps the port's promises."""

from __future__ import annotations

import pytest

from contract.suite_log import *  # noqa: F403
from fakes.log import MemoryLog


@pytest.fixture
def store() -> MemoryLog:
    return MemoryLog()
