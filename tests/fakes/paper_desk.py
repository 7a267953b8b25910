"""A person who keeps epoch keys on paper: writes sheets down, types them, destroys them."""

from __future__ import annotations

from dataclasses import dataclass, field

from havre.errors import Held
from havre.ports.tokens import EpochSheet


@dataclass
class PaperPerson:
    """`ports.tokens.EpochDesk`, with a drawer of sheets that outlives every process.

    away: nobody answers. keeps_sheets: refuses to destroy one.
    """

    drawer: dict[int, EpochSheet] = field(default_factory=dict)
    away: bool = False
    keeps_sheets: bool = False
    asked: list[str] = field(default_factory=list)

    def hand_over(self, sheet: EpochSheet) -> None:
        self._answer("hand_over")
        self.drawer[sheet.number] = sheet

    def read_back(self, party: str, number: int) -> str:
        return self.read(party, number)

    def read(self, party: str, number: int) -> str:
        self._answer("read")
        return " ".join(self.drawer[number].words)

    def confirm_destroyed(self, party: str, number: int) -> None:
        self._answer("confirm_destroyed")
        if self.keeps_sheets:
            raise Held(f"The sheet of epoch {number} of {party} is not destroyed yet.")
        self.drawer.pop(number, None)

    def _answer(self, what: str) -> None:
        self.asked.append(what)
        if self.away:
            raise Held("Nobody is at the terminal.")
