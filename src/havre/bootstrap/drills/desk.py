"""The desk of a hub's drills, wired: who records them, and what `havre drill list` shows."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any

from havre import __version__
from havre.application.drill.desk import DrillDesk
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.place import CONFIGURATION
from havre.crypto.random import random_bytes
from havre.domain.drill_receipt import DrillRun
from havre.domain.drills import Standing
from havre.domain.rehearsals import DRILLS
from havre.domain.trust import encode_trust_roots
from havre.errors import InvalidInput
from havre.formats.canonical import encode_canonical

_SEED = re.compile("[0-9a-f]{32}")


def open_desk(hub: OpenHub) -> DrillDesk:
    """Open the desk of one hub."""
    return DrillDesk(
        journal=hub.journal,
        log=hub.log,
        records=hub.records,
        token=hub.token,
        roots=hub.roots,
        clock=hub.clock,
        deployment=deployment_digest(hub),
    )


def deployment_digest(hub: OpenHub) -> str:
    """Hash what a hub is made of: its configuration, its trust roots, its version of Havre."""
    configuration = (hub.place.folder / CONFIGURATION).read_bytes()
    parts = {
        "configuration": hashlib.sha256(configuration).hexdigest(),
        "havre": __version__,
        "trust": hashlib.sha256(encode_trust_roots(hub.roots)).hexdigest(),
    }
    return hashlib.sha256(encode_canonical({**parts})).hexdigest()


def hold(
    hub: OpenHub, drill: Callable[[str], DrillRun], *, seed: str | None = None
) -> dict[str, Any]:
    """Hold a drill that needs nothing of the hub but to be recorded by it, and show what it came to.

    seed: 32 hexadecimal characters; drawn when there is none.

    Raises:
        InvalidInput: the seed is spelled otherwise.
    """
    chosen = seed if seed is not None else random_bytes(16).hex()
    if not _SEED.fullmatch(chosen):
        raise InvalidInput("A seed is 32 hexadecimal characters.")
    desk = open_desk(hub)
    begun = desk.begin()
    run = drill(chosen)
    return show_run(run, receipt_sha256=desk.record(run, begun=begun))


def list_drills(hub: OpenHub) -> list[dict[str, Any]]:
    """Where every drill stands: when it was last held, and whether that still counts."""
    return [_row(standing) for standing in open_desk(hub).standings()]


def show_run(run: DrillRun, *, receipt_sha256: str) -> dict[str, Any]:
    """What every drill prints: its verdict and each criterion with what was observed."""
    return {
        "drill": run.drill.value,
        "verdict": run.verdict.value,
        "criteria": {
            each.criterion.name: (
                f"not run: {each.not_run}"
                if each.observed is None
                else f"{each.observed} {each.criterion.unit}"
                f" ({each.criterion.bound.value} {each.criterion.limit}"
                f"{', simulated clock' if each.criterion.simulated else ''}):"
                f" {'held' if each.held else 'FAILED'}"
            )
            for each in run.judged
        },
        "not_separated": list(run.not_separated),
        "seconds": round(run.timings_ms.get("all", 0) / 1000, 1),
        "receipt_sha256": receipt_sha256,
    }


def _row(standing: Standing) -> dict[str, Any]:
    rehearsal = DRILLS[standing.drill]
    ran = standing.ran
    return {
        "drill": standing.drill.value,
        "verdict": standing.verdict.value,
        "counts_as_failed": standing.counts_as_failed,
        "last_run_at": f"{ran.at:%Y-%m-%d %H:%M}" if ran else "",
        "age_days": "" if standing.age_days is None else standing.age_days,
        "period_days": rehearsal.period_days,
        "criteria_not_run": ran.counters.get("criteria_not_run", 0) if ran else "",
        "rehearses": rehearsal.rehearses,
    }
