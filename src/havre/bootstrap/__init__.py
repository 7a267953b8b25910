"""The only place that knows which adapters exist: configuration in, wired use cases out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from havre.adapters.machine.guarantees import MachineFact


def inspect_machine() -> list[MachineFact]:
    """Ask the machine what it guarantees; one fact per question."""
    from havre.adapters.machine.guarantees import inspect_machine

    return inspect_machine()
