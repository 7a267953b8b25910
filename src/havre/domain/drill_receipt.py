"""The receipt of a drill: what was tried on what, what was observed, and what that comes to.

A signed in-toto Statement. Its subjects are the log, the hub's configuration and
the newest version of each dataset, each by its hash; its predicate has every
criterion with its limit, so that a stranger judges the run himself and need not
believe the verdict. Published beside the log, which has its hash (`DrillRan`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from havre.domain.drills import Judged, Verdict, judge, verdict_of
from havre.domain.rehearsals import Bound, DrillName
from havre.domain.statements import Statement
from havre.domain.transparency import Head
from havre.errors import InvalidInput
from havre.formats.canonical import Json
from havre.formats.statements import parse_envelope, parse_statement
from havre.values import instant_text, parse_instant

PREDICATE_DRILL = "havre/v1/drill"
KIND_RECEIPT = "drill-receipt"


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillRun:
    """What one run brings back; never a verdict.

    observed, not_run: as `domain.drills.judge` wants them.
    counters: further numbers, public on the log; nothing about people.
    parameters: what the run was told, but for places on this machine.
    seed: hexadecimal, from which everything was drawn that the run drew itself.
    timings_ms: how long each part took, milliseconds by the real clock.
    not_separated: what stood on one machine, one user or one network here, and
        would not in the world; sentences.
    details: what else a reader wants to see, such as what was seized where.
    """

    drill: DrillName
    observed: Mapping[str, int]
    not_run: Mapping[str, str] = field(default_factory=dict)
    counters: Mapping[str, int] = field(default_factory=dict)
    parameters: Mapping[str, Json] = field(default_factory=dict)
    seed: str = ""
    timings_ms: Mapping[str, int] = field(default_factory=dict)
    not_separated: tuple[str, ...] = ()
    details: Mapping[str, Json] = field(default_factory=dict)

    @property
    def judged(self) -> tuple[Judged, ...]:
        """Every criterion of the drill with what was observed."""
        return judge(self.drill, self.observed, not_run=self.not_run)

    @property
    def verdict(self) -> Verdict:
        """What it comes to."""
        return verdict_of(self.judged)

    @property
    def public_counters(self) -> dict[str, int]:
        """What the log gets: the run's own numbers, and how many criteria came to what."""
        answers = [each.held for each in self.judged]
        return {
            **self.counters,
            "criteria": len(answers),
            "criteria_held": answers.count(True),
            "criteria_not_run": answers.count(None),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOn:
    """On what a drill was held, by hashes.

    deployment: of the hub's configuration, trust roots and version of Havre.
    head: of the log when the run began.
    datasets: name to the hash of its newest version's entry on the log.
    """

    deployment: str
    head: Head
    datasets: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ShownCriterion:
    """One criterion as a receipt says it; limit and observation in `unit`."""

    name: str
    bound: Bound
    limit: int
    unit: str
    observed: int | None
    simulated: bool
    not_run: str

    @property
    def held(self) -> bool | None:
        """Judged anew, whatever the receipt says."""
        if self.observed is None:
            return None
        if self.bound is Bound.AT_MOST:
            return self.observed <= self.limit
        return self.observed >= self.limit


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a published receipt says, as far as pages show it."""

    drill: str
    verdict: str
    criteria: tuple[ShownCriterion, ...]
    not_separated: tuple[str, ...]


def receipt_statement(
    run: DrillRun, *, origin: str, held_on: HeldOn, began_at: datetime, ended_at: datetime
) -> Statement:
    """Write what the hub signs about a run."""
    criteria: list[Json] = [_spell(each) for each in run.judged]
    predicate: dict[str, Json] = {
        "began_at": instant_text(began_at),
        "counters": dict(run.public_counters),
        "criteria": criteria,
        "details": dict(run.details),
        "ended_at": instant_text(ended_at),
        "log_size": held_on.head.size,
        "not_separated": list(run.not_separated),
        "parameters": dict(run.parameters),
        "seed": run.seed,
        "timings_ms": dict(run.timings_ms),
        "verdict": run.verdict.value,
    }
    about = {
        "deployment": held_on.deployment,
        "log": held_on.head.root.hex(),
        **{f"dataset/{name}": sha256 for name, sha256 in held_on.datasets.items()},
    }
    return Statement(PREDICATE_DRILL, origin, run.drill.value, predicate, about)


def read_receipt(envelope: bytes) -> Receipt:
    """Read a receipt for showing it; who signed it is not checked here.

    Raises:
        InvalidInput: it is no receipt of a drill.
    """
    statement = parse_statement(parse_envelope(envelope).payload)
    said = statement.predicate
    try:
        if statement.predicate_type != PREDICATE_DRILL:
            raise ValueError
        parse_instant(str(said["ended_at"]))
        return Receipt(
            statement.subject,
            Verdict(str(said["verdict"])).value,
            tuple(_read(each) for each in _list(said["criteria"])),
            tuple(str(each) for each in _list(said["not_separated"])),
        )
    except (KeyError, TypeError, ValueError):
        raise InvalidInput("A receipt is not that of a drill.") from None


def _spell(judged: Judged) -> dict[str, Json]:
    criterion = judged.criterion
    return {
        "bound": criterion.bound.value,
        "clock": "simulated" if criterion.simulated else "real",
        "held": judged.held,
        "limit": criterion.limit,
        "means": criterion.means,
        "name": criterion.name,
        "not_run": judged.not_run,
        "observed": judged.observed,
        "source": criterion.source,
        "unit": criterion.unit,
    }


def _read(value: Json) -> ShownCriterion:
    if not isinstance(value, dict):
        raise TypeError
    observed, limit = value["observed"], value["limit"]
    if type(limit) is not int or type(observed) not in (int, type(None)):
        raise TypeError
    return ShownCriterion(
        str(value["name"]),
        Bound(str(value["bound"])),
        limit,
        str(value["unit"]),
        observed if isinstance(observed, int) else None,
        value["clock"] == "simulated",
        str(value["not_run"]),
    )


def _list(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise TypeError
    return value
