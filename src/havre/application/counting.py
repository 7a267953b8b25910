"""Holding what custodians and witnesses say of themselves against the log.

Nothing is asked of the hub but its published log. Counters are read first and the
log after them, so that an answer which has its request finds it there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from havre.application.asking import Asking, Patience
from havre.application.audit import PublicLog
from havre.domain.counter import (
    CounterHead,
    Difference,
    check_chain,
    compare_counter,
    open_counter,
)
from havre.domain.events import Event
from havre.domain.receipt import Receipt
from havre.domain.trust import TrustRoots
from havre.domain.withdrawal import Withdrawal, list_unlogged, open_withdrawal
from havre.errors import HavreError, NotGenuine
from havre.ports.clock import Clock
from havre.ports.counters import Accountable, DecisionKeeper

# A counter of a million answers is longer than any custodian's life.
_MOST_PAGES = 1000


@dataclass(frozen=True, slots=True)
class Unlogged:
    """A decision that the log should have, and who was told of it."""

    permit: str
    state: str
    decided_at: str
    told: tuple[str, ...]


@dataclass(slots=True)
class CounterReport:
    """What came of an audit.

    answers: how many each custodian that was asked has counted.
    differences: each an alarm, by custodian's name.
    faults: who could not be believed, and why: an alarm as well.
    silent: who could not be asked, and why.
    unlogged: decisions that the log should have by now.
    """

    answers: dict[str, int] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    faults: dict[str, HavreError] = field(default_factory=dict)
    silent: dict[str, HavreError] = field(default_factory=dict)
    unlogged: list[Unlogged] = field(default_factory=list)


class CounterAudit:
    """Compares every custodian's counter with the log, and every direct decision."""

    def __init__(
        self,
        *,
        log: PublicLog,
        custodians: Sequence[Accountable],
        keepers: Sequence[Accountable | DecisionKeeper],
        roots: TrustRoots,
        clock: Clock,
        patience: Patience | None = None,
    ) -> None:
        self._log = log
        self._custodians = custodians
        self._keepers = keepers
        self._roots = roots
        self._clock = clock
        self._patience = patience or Patience()

    def audit(self) -> CounterReport:
        """Ask everybody, then read the log, and say who differs in what.

        Raises:
            NotGenuine: the log itself does not hold.
        """
        report = CounterReport()
        chains = self._chains(report)
        told = self._told(report)
        events = [logged.event for logged in self._log.entries()]
        for name, chain in sorted(chains.items()):
            report.answers[name] = len(chain)
            report.differences += compare_counter(name, chain, events)
        report.unlogged = self._unlogged(told, events)
        return report

    def unlogged(self) -> list[Unlogged]:
        """Say only which direct decisions the log should have by now, as far as parties answer."""
        told = self._told(CounterReport())
        return self._unlogged(told, [logged.event for logged in self._log.entries()])

    def _chains(self, report: CounterReport) -> dict[str, dict[str, Receipt]]:
        asking = Asking(
            {each.name: partial(self._chain, each) for each in self._custodians},
            patience=self._patience,
        )
        chains = {}
        for said in asking:
            if said.answer is not None:
                chains[said.name] = said.answer
            elif said.refusal is not None:
                _sort_in(said.name, said.refusal, report)
        return chains

    def _chain(self, custodian: Accountable) -> dict[str, Receipt]:
        """Read a whole counter, page by page, under the head of its first page."""
        receipts: list[bytes] = []
        head: CounterHead | None = None
        for _ in range(_MOST_PAGES):
            page = custodian.counter(len(receipts))
            head = head or open_counter(page.head, roots=self._roots, custodian=custodian.name)
            receipts += page.receipts[: head.answers - len(receipts)]
            if len(receipts) >= head.answers:
                return check_chain(receipts, head=head, roots=self._roots)
            if not page.receipts:
                break
        raise NotGenuine(f"The counter of {custodian.name} shows fewer answers than it says.")

    def _told(self, report: CounterReport) -> dict[str, list[Withdrawal]]:
        """Ask who was told what directly; each decision's signature is checked again."""
        asking = Asking(
            {each.name: partial(self._opened, each) for each in self._keepers},
            patience=self._patience,
        )
        told = {}
        for said in asking:
            if said.answer is not None:
                told[said.name] = said.answer
            elif said.refusal is not None:
                _sort_in(said.name, said.refusal, report)
        return told

    def _opened(self, keeper: Accountable | DecisionKeeper) -> list[Withdrawal]:
        return [open_withdrawal(each, roots=self._roots) for each in keeper.withdrawals()]

    def _unlogged(
        self, told: Mapping[str, Iterable[Withdrawal]], events: Sequence[Event]
    ) -> list[Unlogged]:
        every = [each for kept in told.values() for each in kept]
        return [
            Unlogged(
                missing.permit,
                missing.state.value,
                missing.ground.decided_at.isoformat(),
                tuple(sorted(name for name, kept in told.items() if missing in list(kept))),
            )
            for missing in list_unlogged(every, events=events, now=self._clock.now())
        ]


def _sort_in(name: str, refusal: HavreError, report: CounterReport) -> None:
    """One that does not answer is silent; one that shows what cannot be is an alarm."""
    kept = report.faults if isinstance(refusal, NotGenuine) else report.silent
    kept[name] = refusal
