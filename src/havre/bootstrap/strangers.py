"""The programs for strangers: one file each, which imports nothing of Havre."""

from __future__ import annotations

from importlib import resources
from pathlib import Path


def stranger_program(name: str) -> Path:
    """Where a program is that a stranger runs alone: one file, which imports nothing of havre.

    name: `verify_log.py` or `check_exposure.py`.
    """
    packaged = Path(str(resources.files("havre").joinpath(name)))
    # In a checkout it stands among the tools.
    return packaged if packaged.is_file() else Path(__file__).parents[3] / "tools" / name


def verifier_path() -> Path:
    """Where the one file is with which a stranger verifies the log."""
    return stranger_program("verify_log.py")


def verifier_source() -> bytes:
    """That file's text; it imports nothing of havre."""
    return verifier_path().read_bytes()
