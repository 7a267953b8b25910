"""The naive pseudonymiser keeps the port's promises."""

from __future__ import annotations

import pytest

from contract.suite_pseudonymiser import *  # noqa: F403
from fakes.pseudonymiser import NaivePseudonymiser


@pytest.fixture
def pseudonymiser() -> NaivePseudonymiser:
    return NaivePseudonymiser()
