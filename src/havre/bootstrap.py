"""The only place that knows which adapters exist: configuration in, wired use cases out."""

from __future__ import annotations

from havre.adapters.machine.guarantees import MachineFact
from havre.adapters.machine.guarantees import inspect_machine as _inspect_machine


def inspect_machine() -> list[MachineFact]:
    """Ask the machine what it guarantees; one fact per question."""
    return _inspect_machine()
