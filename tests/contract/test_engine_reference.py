"""The naive engine keeps the port's promises."""

from __future__ import annotations

import pytest

from contract.suite_engine import *  # noqa: F403
from havre.adapters.engines.reference import ReferenceEngine


@pytest.fixture
def engine() -> ReferenceEngine:
    return ReferenceEngine()
