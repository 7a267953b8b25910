"""The stranger's other program, `tools/check_exposure.py`: as he starts it, and inside this process."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from havre.domain.exposure.certificate import certificate
from havre.domain.exposure.deployment import Deployment
from havre.domain.exposure.verdicts import Analysis
from havre.formats.canonical import encode_canonical

CHECKER = Path(__file__).parents[2] / "tools/check_exposure.py"
FOLLOWS, USAGE, DOES_NOT_FOLLOW = 0, 2, 4


def run_checker(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Start it with nothing in reach but Python's own library."""
    words = [sys.executable, "-I", "-S", str(CHECKER), *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=60, env={})


@cache
def checker() -> ModuleType:
    """The same file as a module, for tests that ask it a thousand times."""
    spec = importlib.util.spec_from_file_location("check_exposure", CHECKER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["check_exposure"] = module
    spec.loader.exec_module(module)
    return module


def fault_in(body: Any, *, facts: bytes | None = None) -> str | None:
    """What the checker says of a certificate; nothing when it follows."""
    _, fault = checker().judge(encode_canonical(body), facts_apart=facts)
    return None if fault is None else str(fault)


def certified(deployment: Deployment) -> Any:
    """A fresh copy of a deployment's certificate, to be altered."""
    return json.loads(encode_canonical(certificate(Analysis(deployment))))
