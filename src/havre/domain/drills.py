"""Drills: which promises are tried, how often, and by which numbers they are judged.

One table says it all; the command line, the public site, the documents and the
judgement of a run are made from it. A number without another source is our own
proposal, to be tuned by the first runs.

What a run observed is compared here and nowhere else: whoever runs a drill
brings numbers, never a verdict. A criterion that could not be tried on a machine
is *not run*: that is no success, and the verdict says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from havre.domain.events import DrillRan


class DrillName(StrEnum):
    """A drill, as commands and the log spell it."""

    SUBPOENA = "subpoena"
    FORK = "fork"
    DISCONNECT = "disconnect"
    SEIZURE = "seizure"
    OWNERSHIP = "ownership"
    OPPOSITION = "opposition"


class Verdict(StrEnum):
    """What a drill came to, or what became of it since.

    incomplete: nothing failed, and something could not be tried.
    overdue: it held, longer ago than its period: that counts as failed.
    never: it was never run, which counts as failed too.
    """

    HELD = "held"
    INCOMPLETE = "incomplete"
    FAILED = "failed"
    OVERDUE = "overdue"
    NEVER = "never"


class Bound(StrEnum):
    """How an observed number is compared with the limit."""

    AT_MOST = "at most"
    AT_LEAST = "at least"


@dataclass(frozen=True, slots=True)
class Criterion:
    """One number by which a drill is judged.

    means: what is counted, in a few words.
    unit: of limit and observation; whole numbers, because what is signed has no fractions.
    simulated: whether the days in it pass on a clock that is set forward, not in the world.
    source: who asks for the number; ours unless somebody else does.
    """

    name: str
    means: str
    bound: Bound
    limit: int
    unit: str
    simulated: bool = False
    source: str = "our proposal"

    def holds(self, observed: int) -> bool:
        """Compare an observation with the limit.

        >>> none_of("canaries", "canaries found", unit="canaries").holds(1)
        False
        """
        if self.bound is Bound.AT_MOST:
            return observed <= self.limit
        return observed >= self.limit


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """One row of the table.

    rehearses: what is supposed to happen, in a sentence.
    period_days: after so many days without another run it counts as failed.
    held_on: the hub itself, or a small hub of its own that is made for it and removed.
    needs: what the machine must allow; what it does not is not run.
    """

    rehearses: str
    period_days: int
    held_on: str
    needs: str
    criteria: tuple[Criterion, ...]

    def criterion(self, name: str) -> Criterion:
        """Find a criterion by its name.

        Raises:
            ValueError: there is none.
        """
        for each in self.criteria:
            if each.name == name:
                return each
        raise ValueError(name)


@dataclass(frozen=True, slots=True)
class Judged:
    """One criterion after a run.

    observed: null when it was not run; then `not_run` says why.
    """

    criterion: Criterion
    observed: int | None
    not_run: str = ""

    @property
    def held(self) -> bool | None:
        """Whether it held; null when nobody knows."""
        return None if self.observed is None else self.criterion.holds(self.observed)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a drill stands today.

    ran: its newest run, with its index on the log.
    age_days: whole days since then.
    """

    drill: DrillName
    verdict: Verdict
    ran: DrillRan | None = None
    index: int | None = None
    age_days: int | None = None

    @property
    def counts_as_failed(self) -> bool:
        """Whether a reader must take it for failed."""
        return self.verdict in (Verdict.FAILED, Verdict.OVERDUE, Verdict.NEVER)

    @property
    def due_at(self) -> datetime | None:
        """When the newest run is too old; null when there is none."""
        if self.ran is None:
            return None
        return self.ran.at + timedelta(days=DRILLS[self.drill].period_days)


def none_of(name: str, means: str, *, unit: str, simulated: bool = False) -> Criterion:
    """Make a criterion that allows not a single one."""
    return Criterion(name, means, Bound.AT_MOST, 0, unit, simulated)


DRILLS: Mapping[DrillName, Rehearsal] = MappingProxyType(
    {
        DrillName.SUBPOENA: Rehearsal(
            "a court orders the store's host to hand over everything that it has",
            30,
            "the hub itself",
            "nothing",
            (
                none_of("canaries", "canaries read in what was seized", unit="sightings"),
                none_of("keys", "keys of this hub read in what was seized", unit="sightings"),
                none_of("clear-bytes", "clear bytes in what should be sealed", unit="sightings"),
                Criterion(
                    "classes",
                    "asset classes in which a canary was planted, or looked for",
                    Bound.AT_LEAST,
                    7,
                    "classes",
                ),
                none_of(
                    "missed",
                    "asset classes in which a canary, laid open on purpose, was missed",
                    unit="classes",
                ),
                none_of(
                    "not-predicted",
                    "terms obtained that the exposure model says cannot be known",
                    unit="terms",
                ),
            ),
        ),
        DrillName.FORK: Rehearsal(
            "the log's operator shows an old log to some and a forked one to others",
            30,
            "a small hub of its own",
            "users of their own for the parties, which root can give",
            (
                Criterion(
                    "asks",
                    "times that a party was shown a false log",
                    Bound.AT_LEAST,
                    20,
                    "asks",
                ),
                none_of("asks-believed", "false logs that a party believed", unit="asks"),
                none_of("honest-refused", "parties that refused the true log", unit="asks"),
                Criterion(
                    "detection",
                    "time until the slowest party refused",
                    Bound.AT_MOST,
                    900,
                    "seconds",
                    source="the oldest head that a custodian believes",
                ),
                none_of(
                    "without-evidence",
                    "parties that kept no head that contradicts the log",
                    unit="parties",
                ),
            ),
        ),
        DrillName.DISCONNECT: Rehearsal(
            "every link to the outside is cut for 7 days, and comes back after 90",
            30,
            "a small hub of its own",
            "a network namespace; a study environment; a folder of wheels for the offline install",
            (
                Criterion("functions", "functions tried", Bound.AT_LEAST, 30, "functions"),
                none_of("failed-cut-off", "functions that failed when cut off", unit="functions"),
                none_of(
                    "failed-7-days",
                    "functions that failed after 7 days",
                    unit="functions",
                    simulated=True,
                ),
                none_of(
                    "failed-90-days",
                    "functions that failed after 90 days, renewals signed on the spot",
                    unit="functions",
                    simulated=True,
                ),
                none_of("calls", "attempts to reach anything outside", unit="calls"),
                Criterion(
                    "calls-noticed",
                    "attempts made on purpose, and counted",
                    Bound.AT_LEAST,
                    3,
                    "calls",
                ),
                none_of(
                    "behind",
                    "parties, cut off for 90 days, that are behind once they are back",
                    unit="parties",
                    simulated=True,
                ),
                none_of(
                    "install-failed",
                    "offline installs from locked wheels that failed",
                    unit="installs",
                ),
            ),
        ),
        DrillName.SEIZURE: Rehearsal(
            "the hub's host vanishes at work with all its disks, and a standby goes on",
            90,
            "a small hub of its own",
            "nothing",
            (
                Criterion(
                    "killed",
                    "processes of the hub that were killed at work",
                    Bound.AT_LEAST,
                    1,
                    "processes",
                ),
                none_of(
                    "storage-sightings",
                    "canaries, keys and clear bytes in the images of store and inbox",
                    unit="sightings",
                ),
                none_of(
                    "hub-canaries", "canaries in the image of the hub's disk", unit="sightings"
                ),
                none_of(
                    "left-behind",
                    "canaries, keys and clear bytes in temporary, core and scratch files",
                    unit="sightings",
                ),
                none_of(
                    "blind-finders", "images in which a planted canary was missed", unit="images"
                ),
                Criterion("recovered", "hubs that went on elsewhere", Bound.AT_LEAST, 1, "hubs"),
                Criterion(
                    "rto", "from the loss to working again", Bound.AT_MOST, 86_400, "seconds"
                ),
                none_of("permits-lost", "signed permits that are gone", unit="permits"),
                Criterion(
                    "audit-lost", "time of the log that is gone", Bound.AT_MOST, 900, "seconds"
                ),
                none_of("objects-lost", "objects that are gone", unit="objects"),
                Criterion(
                    "data-lost",
                    "age of the oldest delivery that must be sent again",
                    Bound.AT_MOST,
                    86_400,
                    "seconds",
                ),
                none_of(
                    "functions-failed", "functions that failed at the standby", unit="functions"
                ),
                none_of(
                    "log-breaks",
                    "strangers who cannot follow the log from the last head before the loss",
                    unit="strangers",
                ),
                none_of(
                    "lost-host-believed",
                    "acts of the lost host that somebody took afterwards",
                    unit="acts",
                ),
            ),
        ),
        DrillName.OWNERSHIP: Rehearsal(
            "every operator in turn is bought from under another law, and the host of a store is left",
            30,
            "the hub's own facts, and a small hub of its own",
            "nothing",
            (
                Criterion(
                    "takeovers",
                    "operators of the hub that were bought in turn, on paper",
                    Bound.AT_LEAST,
                    1,
                    "operators",
                ),
                none_of(
                    "one-takeover",
                    "bases, keys and secrets of the hub that one takeover exposes",
                    unit="messages",
                ),
                none_of(
                    "working-set-taken",
                    "working sets of the hub that one takeover exposes, by whoever was not proved to be left in time",
                    unit="messages",
                ),
                Criterion(
                    "shock-seen",
                    "messages that the purchase of the store's host newly exposed",
                    Bound.AT_LEAST,
                    1,
                    "messages",
                ),
                none_of(
                    "bought-host-reads",
                    "canaries, keys and clear bytes in what the bought host has",
                    unit="sightings",
                ),
                Criterion("moved", "objects moved to another host", Bound.AT_LEAST, 1, "objects"),
                none_of(
                    "not-whole",
                    "copies that are bad or missing at the hosts that are left",
                    unit="copies",
                ),
                none_of("functions-failed", "functions that failed on the way", unit="functions"),
                none_of("left-at-bought", "files left at the bought host", unit="files"),
                none_of(
                    "still-exposed",
                    "messages that the buyer's law newly has once the host is left",
                    unit="messages",
                ),
                none_of(
                    "kept-exposes",
                    "bases, secrets and working sets that it has if the host kept everything",
                    unit="messages",
                ),
                Criterion(
                    "exit-time",
                    "to leave the host with the hub's own bytes, at the pace that was measured",
                    Bound.AT_MOST,
                    7_776_000,
                    "seconds",
                    source="BSI C3A: told 90 days before",
                ),
            ),
        ),
        DrillName.OPPOSITION: Rehearsal(
            "people object while the hub works, and one of them takes it back",
            30,
            "a small hub of its own",
            "a study environment",
            (
                Criterion("lists", "lists of who objects, taken in", Bound.AT_LEAST, 3, "lists"),
                Criterion(
                    "delay",
                    "time from an opposition to the first extract without the person",
                    Bound.AT_MOST,
                    7,
                    "days",
                    simulated=True,
                    source="the register's rhythm; GDPR 12(3) gives a month",
                ),
                none_of("residual-rows", "rows of people who object, in new extracts", unit="rows"),
                none_of("rows-lost", "rows of others that went missing there", unit="rows"),
                none_of("in-outputs", "people too many in what came out after", unit="people"),
                none_of(
                    "overtaken",
                    "extracts made by a list that was no longer the newest",
                    unit="extracts",
                ),
                none_of(
                    "early-lists",
                    "lists that were taken before their day",
                    unit="lists",
                    simulated=True,
                ),
                Criterion(
                    "receipts",
                    "receipts that a stranger's verifier believed",
                    Bound.AT_LEAST,
                    4,
                    "receipts",
                ),
                none_of(
                    "false-receipts-believed", "false receipts that it believed", unit="receipts"
                ),
                none_of(
                    "not-back",
                    "people who took it back and were still left out",
                    unit="people",
                    simulated=True,
                ),
            ),
        ),
    }
)


def judge(
    drill: DrillName, observed: Mapping[str, int], *, not_run: Mapping[str, str] | None = None
) -> tuple[Judged, ...]:
    """Compare what a run observed with the drill's row.

    observed: by the criterion's name, a whole number in its unit.
    not_run: by the criterion's name, why it was not tried.

    Raises:
        ValueError: a criterion has neither, or both, or something is of no criterion.
    """
    excused = not_run or {}
    names = [each.name for each in DRILLS[drill].criteria]
    if sorted([*observed, *excused]) != sorted(names):
        raise ValueError("each criterion is observed or excused, once")
    return tuple(
        Judged(each, observed.get(each.name), excused.get(each.name, ""))
        for each in DRILLS[drill].criteria
    )


def verdict_of(judged: Iterable[Judged]) -> Verdict:
    """Say what all criteria together come to; of none at all, nothing is known.

    >>> verdict_of([]).value
    'incomplete'
    """
    answers = [each.held for each in judged]
    if False in answers:
        return Verdict.FAILED
    return Verdict.HELD if answers and None not in answers else Verdict.INCOMPLETE


def standings(runs: Sequence[tuple[int, DrillRan]], *, now: datetime) -> list[Standing]:
    """Tell where every drill of the table stands, in the table's order.

    runs: index and entry, in the order of the log.
    """
    newest = {ran.drill: (index, ran) for index, ran in runs}
    return [_standing(drill, newest.get(drill.value), now) for drill in DRILLS]


def _standing(drill: DrillName, newest: tuple[int, DrillRan] | None, now: datetime) -> Standing:
    if newest is None:
        return Standing(drill, Verdict.NEVER)
    index, ran = newest
    verdict = Verdict(ran.verdict)
    age = now - ran.at
    if verdict is not Verdict.FAILED and age > timedelta(days=DRILLS[drill].period_days):
        verdict = Verdict.OVERDUE
    return Standing(drill, verdict, ran, index, max(0, age.days))
