"""The stranger's program, `tools/verify_log.py`, as the stranger starts it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

VERIFIER = Path(__file__).parents[2] / "tools/verify_log.py"
GENUINE, USAGE, NOT_GENUINE, TOO_OLD = 0, 2, 4, 5


def verify(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Start it with `python -I`: nothing of ours is in its path or environment but the one file."""
    words = [sys.executable, "-I", str(VERIFIER), *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=60, env={})
