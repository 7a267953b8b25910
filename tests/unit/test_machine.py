"""The machine is asked, not trusted."""

from __future__ import annotations

import subprocess
import sys

from havre.adapters.machine.clock import SystemClock
from havre.adapters.machine.guarantees import inspect_machine


def test_every_fact_that_does_not_hold_says_how_to_mend_it() -> None:
    facts = inspect_machine()

    assert [fact.name for fact in facts if fact.held == bool(fact.mend)] == []


def test_a_process_that_turned_core_dumps_off_has_them_off() -> None:
    script = (
        "from havre.adapters.machine.guarantees import *; turn_off_core_dumps();"
        "print([fact.held for fact in inspect_machine() if 'core' in fact.name])"
    )

    seen = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert seen.stdout.strip() == "[True]"


def test_the_clock_speaks_utc() -> None:
    assert SystemClock().now().utcoffset().total_seconds() == 0  # type: ignore[union-attr]
