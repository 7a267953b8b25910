"""What a machine must offer so that a hub can work on it: asked, and tried, not believed."""

from __future__ import annotations

from pathlib import Path

from havre.adapters.machine.guarantees import MachineFact, inspect_machine, look_at_disk
from havre.adapters.sandbox.bubblewrap import BubblewrapSandbox
from havre.adapters.sandbox.environment import check_environment
from havre.errors import HavreError


def examine(hub: Path, *, environment: Path) -> list[MachineFact]:
    """Look at the machine, make an empty sandbox, hash the study environment.

    hub: where a hub is, or will be. environment: the folder of a built one.

    Returns one fact per question, always the same questions in the same order.
    """
    return [*inspect_machine(), _sandbox(), _environment(environment), look_at_disk(hub)]


def _sandbox() -> MachineFact:
    name = "studies can run in a sandbox"
    try:
        BubblewrapSandbox().probe()
    except HavreError as fault:
        return MachineFact(name, held=False, seen=fault.message, mend=fault.hint)
    return MachineFact(name, held=True, seen="bubblewrap made an empty one")


def _environment(folder: Path) -> MachineFact:
    name = "there is a study environment"
    try:
        digest = check_environment(folder)
    except (HavreError, OSError):
        return MachineFact(
            name,
            held=False,
            seen=f"none in {folder.name or folder}",
            mend="Build it anew in an empty folder: `havre environment build LOCK --environment"
            " FOLDER`; name it with --environment or HAVRE_ENVIRONMENT.",
        )
    return MachineFact(name, held=True, seen=f"its hash is {digest[:12]}…")
