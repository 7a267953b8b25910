"""Drills: which promises are tried, how often, and by which numbers they are judged.

One table says it all; the command line, the public site, the documents and the
judgement of a run (`domain.drills`) are made from it. A number without another
source is our own proposal, to be tuned by the first runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class DrillName(StrEnum):
    """A drill, as commands and the log spell it."""

    SUBPOENA = "subpoena"
    FORK = "fork"
    DISCONNECT = "disconnect"
    SEIZURE = "seizure"
    OWNERSHIP = "ownership"
    OPPOSITION = "opposition"
    KEY_LOSS = "key-loss"


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
        DrillName.KEY_LOSS: Rehearsal(
            "custodians are lost and robbed, others take over, and a generation of keys is destroyed",
            90,
            "a small hub of its own",
            "leave to look into the memory of its own processes",
            (
                none_of(
                    "failed-without-one",
                    "extracts that failed with one custodian lost",
                    unit="extracts",
                ),
                none_of("not-reshared", "keys without new shares after the ceremony", unit="keys"),
                none_of(
                    "objects-touched",
                    "objects that differ after it, while both stores were away",
                    unit="objects",
                ),
                none_of(
                    "failed-with-the-new",
                    "extracts that failed with the new custodian and one other",
                    unit="extracts",
                ),
                none_of(
                    "opened-by-a-thief",
                    "objects that a thief of one custodian, who found the lost one too, opened",
                    unit="objects",
                ),
                Criterion(
                    "opened-by-two",
                    "objects that somebody with two custodians' shares opened, as he must",
                    Bound.AT_LEAST,
                    1,
                    "objects",
                ),
                Criterion(
                    "seeds-in-room",
                    "whole keys seen in the key room while it was open, as they must be",
                    Bound.AT_LEAST,
                    1,
                    "keys",
                ),
                none_of("seeds-in-hub", "whole keys seen in the hub's memory", unit="keys"),
                none_of("seeds-in-files", "whole keys seen in any file", unit="keys"),
                Criterion(
                    "found-on-purpose",
                    "values put into the hub's memory and a file on purpose, and seen",
                    Bound.AT_LEAST,
                    2,
                    "plants",
                ),
                none_of(
                    "rooms-left",
                    "key rooms that outlived their opening, or might have left a core file",
                    unit="processes",
                ),
                none_of(
                    "opened-when-two-lost",
                    "extracts that went through with two custodians lost",
                    unit="extracts",
                ),
                none_of(
                    "lost-unnamed", "lost custodians that the refusal did not name", unit="parties"
                ),
                none_of(
                    "recovered-unasked",
                    "ceremonies held on half an order, or with nobody at the escrow",
                    unit="ceremonies",
                ),
                none_of(
                    "failed-after-escrow",
                    "extracts that failed after the escrow's ceremony",
                    unit="extracts",
                ),
                none_of(
                    "without-record",
                    "holders of new shares who could not print its record",
                    unit="parties",
                ),
                none_of(
                    "opened-after-erasure",
                    "objects of a destroyed generation that anything left opened",
                    unit="objects",
                ),
                none_of(
                    "lost-beside",
                    "objects of other generations that opened no more",
                    unit="objects",
                ),
            ),
        ),
    }
)
