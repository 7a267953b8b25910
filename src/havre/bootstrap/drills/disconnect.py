"""The disconnect drill: the whole work of a hub without a network, for days that nobody waits for.

Held on a small hub of its own, in a network namespace that has nothing but a
loopback. Calls out are counted by the kernel, and a few are made on purpose first.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from havre.adapters.machine.apart import Apart, inspect_apart
from havre.bootstrap.drills.offline_story import LATER, Story, Told
from havre.bootstrap.drills.stage import Stage, rehearsal_hub
from havre.domain.drill_receipt import DrillRun
from havre.domain.rehearsals import DrillName
from havre.errors import Unavailable
from havre.formats.canonical import Json

_STORY_S, _INSTALL_S = 600, 900
_NO_NAMESPACE = "this machine lets no program run without a network"
_NO_ENVIRONMENT = "no study environment was named, so no study ran (--environment)"
_NO_WHEELS = "no folder of wheels was named (--wheels)"
_SEEN_ELSEWHERE = (
    "a study runs in a network of its own inside the sandbox; what it tries there is refused,"
    " and not among the calls that are counted"
)


@dataclass(frozen=True, slots=True)
class Supplies:
    """What must lie ready on the spot.

    environment: the study environment. wheels: a folder with every package that the
        lock file names. Null where there is none; what needs it is then not run.
    """

    environment: Path | None = None
    wheels: Path | None = None
    lock: Path = Path("requirements.lock")


def disconnect(
    seed: str, *, supplies: Supplies, spoil: Callable[[Stage], None] = lambda _stage: None
) -> DrillRun:
    """Hold the drill.

    seed: 32 hexadecimal characters.
    spoil: what a test breaks on the stage before the network is cut.
    """
    apart, began = inspect_apart(), time.monotonic()
    environment = supplies.environment
    if environment is not None and not environment.is_dir():
        environment = None
    with rehearsal_hub("disconnect", seed=seed) as stage:
        spoil(stage)
        story = _play(stage, environment, apart) if apart.off_network else None
        installs = _install(stage.root / "installed", supplies, apart)
    observed, not_run = _observed(story, with_study=environment is not None)
    if isinstance(installs, str):
        not_run["install-failed"] = installs
    else:
        observed["install-failed"] = installs
    return DrillRun(
        drill=DrillName.DISCONNECT,
        observed=observed,
        not_run=not_run,
        counters={"simulated_days": LATER[-1] if story and story.cut_off else 0},
        parameters={"days": [0, *LATER], "offline_install": supplies.wheels is not None},
        seed=seed,
        timings_ms={"all": round((time.monotonic() - began) * 1000)},
        not_separated=("all parties stood on one machine, under one user",),
        details={
            "failures": _spelled(story.failures) if story else {},
            "not_counted": _SEEN_ELSEWHERE,
        },
    )


def _play(stage: Stage, environment: Path | None, apart: Apart) -> Story:
    told = Told(str(stage.root), str(environment.resolve()) if environment else "")
    words = apart.without_network(
        [
            *(sys.executable, "-I", "-m", "havre.bootstrap.drills.offline_story"),
            json.dumps(asdict(told)),
        ]
    )
    done = subprocess.run(
        words, capture_output=True, timeout=_STORY_S, check=False, cwd="/", env={}
    )
    try:
        answer = json.loads(done.stdout)
        answer["failures"] = {int(day): failed for day, failed in answer["failures"].items()}
        answer["tried"] = {int(day): number for day, number in answer["tried"].items()}
        return Story(**answer)
    except (TypeError, ValueError):
        raise Unavailable("The process of the offline story ended without an answer.") from None


def _observed(story: Story | None, *, with_study: bool) -> tuple[dict[str, int], dict[str, str]]:
    """Sort what was observed; what the machine did not allow is excused, by reason."""
    days = {"failed-cut-off": 0, "failed-7-days": LATER[0], "failed-90-days": LATER[1]}
    names = ("functions", *days, "calls", "calls-noticed", "behind")
    if story is None or not story.cut_off:
        return {}, dict.fromkeys(names, _NO_NAMESPACE)
    observed = {name: len(story.failures.get(day, {})) for name, day in days.items()}
    observed |= {
        "functions": sum(story.tried.values()),
        "calls": story.calls,
        "calls-noticed": min(story.planted, story.noticed),
        "behind": len(story.behind),
    }
    if with_study:
        return observed, {}
    # Fewer functions than there are were tried: that is no success and no failure.
    del observed["functions"]
    return observed, {"functions": _NO_ENVIRONMENT}


def _install(folder: Path, supplies: Supplies, apart: Apart) -> int | str:
    """Install everything from wheels that lie ready; returns how many installs failed, or why not."""
    if supplies.wheels is None:
        return _NO_WHEELS
    if not apart.off_network:
        return _NO_NAMESPACE
    words = apart.without_network(
        [
            *(sys.executable, "-I", "-m", "pip", "install", "--quiet", "--no-input"),
            *("--no-index", "--no-cache-dir", "--require-hashes", "--only-binary", ":all:"),
            *("--find-links", str(supplies.wheels.resolve())),
            *("--target", str(folder), "--requirement", str(supplies.lock.resolve())),
        ]
    )
    done = subprocess.run(words, capture_output=True, timeout=_INSTALL_S, check=False, cwd="/")
    return 0 if done.returncode == 0 else 1


def _spelled(failures: dict[int, dict[str, str]]) -> dict[str, Json]:
    return {str(day): {**failed} for day, failed in failures.items()}
