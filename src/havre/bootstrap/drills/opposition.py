"""The opposition drill: people object while a hub works; nobody of them is in what is made afterwards.

Held on a small hub of its own. The holder and the verifier are processes of their
own; days pass on the clock that the hub and its parties share.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from havre.bootstrap.drills.opposition_story import EVERY_DAYS, Player
from havre.bootstrap.drills.stage import Stage, rehearsal_hub
from havre.domain.drill_receipt import DrillRun
from havre.domain.rehearsals import DRILLS, DrillName

_NO_ENVIRONMENT = "no study environment was named, so no study ran (--environment)"
_ONE_PROCESS = (
    "the hub, its custodians and its witnesses stood in one process, because its days were"
    " simulated; the holder and the verifier were processes of their own"
)
_NOT_REACHED = "the story did not come so far"


def opposition(
    seed: str,
    *,
    environment: Path | None = None,
    spoil: Callable[[Stage], None] = lambda _stage: None,
) -> DrillRun:
    """Hold the drill.

    seed: 32 hexadecimal characters, from which the hub's people and who objects are drawn.
    environment: the study environment; without one no study runs.
    spoil: what a test breaks on the stage before anything is played.
    """
    began = time.monotonic()
    if environment is not None and not environment.is_dir():
        environment = None
    with rehearsal_hub("opposition", seed=seed) as stage:
        spoil(stage)
        story = Player(stage, seed=seed, environment=environment).play()
    not_run = {
        each.name: _NO_ENVIRONMENT if environment is None else _NOT_REACHED
        for each in DRILLS[DrillName.OPPOSITION].criteria
        if each.name not in story.observed
    }
    return DrillRun(
        drill=DrillName.OPPOSITION,
        observed=story.observed,
        not_run=not_run,
        counters={"simulated_days": 2 * EVERY_DAYS, "people_who_objected": story.people},
        parameters={"every_days": EVERY_DAYS},
        seed=seed,
        timings_ms={"all": round((time.monotonic() - began) * 1000)},
        not_separated=(_ONE_PROCESS,),
        details={"failures": {**story.failures}},
    )
