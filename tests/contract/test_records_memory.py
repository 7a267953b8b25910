"""Records in memory keep the port's promises."""

from __future__ import annotations

import pytest

from contract.suite_records import *  # noqa: F403
from fakes.records import MemoryRecords


@pytest.fixture
def records() -> MemoryRecords:
    return MemoryRecords()
