"""Runs over the deliveries of one dataset, until those are left of which a version can be made.

One that breaks its contract, or whose rows nobody can judge, is held; one that fails for another
reason waits on; and the others go on, as if neither had ever come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from havre.application.contracts import Judge
from havre.application.ingest_run import DatasetRun, FileReport
from havre.application.vault.sealing import SealedVersion
from havre.application.waiting import WaitingDelivery
from havre.domain.change_report import Correction
from havre.domain.code_system import ColumnCodes
from havre.domain.contract import Level
from havre.domain.contract_judgement import Judged, broken_of
from havre.domain.delivery import RowCount, RowsUnfit
from havre.errors import HavreError, Held, InvalidInput, NotGenuine, Refused

# What one delivery can be the reason of. What fails otherwise would fail for all.
_OF_ONE = (Held, InvalidInput, NotGenuine, Refused)

_UNFIT = "rows that nobody can judge"


class ContractBroken(Held):
    """A delivery breaks a must rule of its contract; every one is named."""

    def __init__(self, delivery: str, broken: Iterable[Judged]) -> None:
        said = "; ".join(each.says for each in broken)
        super().__init__(
            f"Delivery {delivery} breaks its contract: {said}.",
            hint="Nothing of it entered the lake. Its holder mends it and delivers it under another"
            f' name, with `corrects = "{delivery}"`; see the contract with `havre contract show`.',
        )


@dataclass(slots=True)
class Done:
    """What was made of the deliveries of one run, before anything of it is on the log.

    contracts: hash of its contract, by delivery.
    held: what the log will say is held. left: what waits on, because it failed.
    run: null where nothing is left of which a version could be made, and then nothing was sealed.
    """

    judged: dict[str, tuple[Judged, ...]] = field(default_factory=dict)
    contracts: dict[str, str] = field(default_factory=dict)
    reports: dict[str, list[FileReport]] = field(default_factory=dict)
    codes: dict[str, tuple[ColumnCodes, ...]] = field(default_factory=dict)
    held: dict[str, ContractBroken | RowsUnfit] = field(default_factory=dict)
    left: dict[str, HavreError] = field(default_factory=dict)
    run: DatasetRun | None = None
    sealed: SealedVersion | None = None
    corrections: tuple[Correction, ...] = ()

    @property
    def out(self) -> frozenset[str]:
        """Deliveries that are in no version because of this run."""
        return frozenset({*self.held, *self.left})


class Attempts:
    """Checks deliveries again and again, each time without those that cannot go on.

    It is begun again from the first row, because keys were compared with rows of the others.
    """

    def __init__(
        self, checked: Callable[[Sequence[WaitingDelivery]], DatasetRun], *, judge: Judge
    ) -> None:
        """Work on deliveries of one dataset.

        checked: a run over some of them, all of whose tables were read and sealed.
        """
        self._checked = checked
        self._judge = judge
        self.done = Done()

    def run(self, waiting: Sequence[WaitingDelivery]) -> DatasetRun | None:
        """Return a run over all that can go on; null where none can.

        Raises:
            HavreError: what fails for all, or for those that are left only together.
        """
        going = list(waiting)
        while going:
            try:
                run = self._checked(going)
            except RowsUnfit as unfit:
                self._hold_unfit(going, unfit)
            except _OF_ONE as fault:
                self._leave(going, fault)
            else:
                broken = self._judged(run, going)
                if not broken:
                    return run
                self._hold_broken(going, broken)
            going = [each for each in going if each.note.delivery not in self.done.out]
        return None

    def _hold_unfit(self, going: Sequence[WaitingDelivery], unfit: RowsUnfit) -> None:
        """Hold one delivery; every row that was sent of it counts as set aside."""
        (note,) = (each.note for each in going if each.note.delivery == unfit.delivery)
        self.done.held[note.delivery] = unfit
        self.done.codes[note.delivery] = ()
        self.done.reports[note.delivery] = [
            FileReport(
                note.delivery,
                count,
                RowCount(count.sent, 0, {_UNFIT: count.sent} if count.sent else {}),
            )
            for count in note.files
        ]

    def _leave(self, going: Sequence[WaitingDelivery], fault: HavreError) -> None:
        """Try each alone, and leave those that fail.

        Raises:
            HavreError: none fails alone, or there is but one.
        """
        if len(going) == 1:
            self.done.left[going[0].note.delivery] = fault
            return
        for each in going:
            try:
                self._checked([each])
            except RowsUnfit as unfit:
                self._hold_unfit(going, unfit)
            except _OF_ONE as own:
                self.done.left[each.note.delivery] = own
        if not self.done.out & {each.note.delivery for each in going}:
            raise fault

    def _hold_broken(
        self, going: Sequence[WaitingDelivery], broken: Mapping[str, ContractBroken]
    ) -> None:
        """Hold what breaks its contract alone; what breaks it only together is held together.

        Rows of one may be set aside because of another that is to be held.
        """
        suspects = [each for each in going if each.note.delivery in broken]
        alone: dict[str, ContractBroken] = {}
        for each in suspects if len(going) > 1 else ():
            alone |= self._judged(self._checked([each]), [each])
        self.done.held |= alone or broken

    def _judged(
        self, run: DatasetRun, going: Sequence[WaitingDelivery]
    ) -> dict[str, ContractBroken]:
        """Judge what a run has read, and say what is to be held."""
        held: dict[str, ContractBroken] = {}
        for each in going:
            name = each.note.delivery
            self.done.reports[name] = [report for report in run.reports if report.delivery == name]
            self.done.codes[name] = run.codes.get(name, ())
            contract = run.terms.contracts.get(name)
            if contract is None:
                continue
            self.done.contracts[name] = contract.sha256
            self.done.judged[name] = self._judge.judge(
                each.note,
                each.event,
                contract=contract,
                accepted=run.accepted(name),
                counted=run.counted.get(name, {}),
            )
            if broken := broken_of(self.done.judged[name], level=Level.MUST):
                held[name] = ContractBroken(name, broken)
        return held
