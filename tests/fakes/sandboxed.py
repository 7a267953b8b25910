"""One program in the real sandbox, with one small input."""

from __future__ import annotations

from fakes.small_hub import ENVIRONMENT, environment
from havre.adapters.sandbox.bubblewrap import BubblewrapSandbox
from havre.ports.sandbox import SandboxJob, SandboxLimits, SandboxResult


def run(code: str, *arguments: str, **limits: float) -> SandboxResult:
    """Run a program in the sandbox; inputs hold one small file."""
    environment()
    return BubblewrapSandbox().run(
        SandboxJob(
            code={"study.py": code.encode()},
            command=("/env/bin/python", "/code/study.py", *arguments),
            environment=str(ENVIRONMENT),
            inputs={"t.parquet": [b"in", b"put"]},
            limits=SandboxLimits(**limits),  # type: ignore[arg-type]
        )
    )
