"""The polars pseudonymiser keeps the port's promises."""

from __future__ import annotations

import pytest

from contract.suite_pseudonymiser import *  # noqa: F403
from havre.adapters.pseudonymiser.polars import PolarsPseudonymiser


@pytest.fixture
def pseudonymiser() -> PolarsPseudonymiser:
    return PolarsPseudonymiser()
