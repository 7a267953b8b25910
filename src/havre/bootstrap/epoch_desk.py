"""A person at the terminal who keeps a custodian's epoch keys on paper.

The sheet is shown on the terminal, or written to a file in memory to be printed;
never to a disk. What is typed is not shown.
"""

from __future__ import annotations

import os
from getpass import getpass
from pathlib import Path

from havre.adapters.machine.guarantees import check_in_memory
from havre.bootstrap.pins import EPOCH, at_terminal, find_told
from havre.crypto.paper import WORDS, Misread, secret_of
from havre.errors import Held
from havre.ports.tokens import EpochSheet

_TRIES = 3
_A_LINE = 11
_DESTROYED = "DESTROYED"


class TerminalDesk:
    """`ports.tokens.EpochDesk` at this process's terminal.

    sheet: a file in memory to write the sheet to, in `.html` or text; null shows it.
    """

    def __init__(self, *, sheet: Path | None = None, language: str = "en") -> None:
        self._sheet = sheet
        self._language = language

    def hand_over(self, sheet: EpochSheet) -> None:
        """Show the sheet, or write it to the file in memory.

        Raises:
            Held: nobody is at the terminal to write it down.
            Unprotected: the file would lie on a disk.
        """
        from havre.adapters.paper.sheet import sheet_html, sheet_text

        _check_person(f"write down the key of epoch {sheet.number} of {sheet.party}")
        if self._sheet is None:
            with Path("/dev/tty").open("w", encoding="utf-8") as terminal:
                terminal.write(sheet_text(sheet, language=self._language).decode())
            return
        check_in_memory(self._sheet.parent)
        form = sheet_html if self._sheet.suffix == ".html" else sheet_text
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        with os.fdopen(os.open(self._sheet, flags, 0o600), "wb") as file:
            file.write(form(sheet, language=self._language))

    def read_back(self, party: str, number: int) -> str:
        """Have the paper typed; what the process was told before cannot be it."""
        return _typed(party, number)

    def read(self, party: str, number: int) -> str:
        """Take the words that the process was told, or have them typed."""
        told = find_told(EPOCH, party)
        return _typed(party, number) if told is None else told

    def confirm_destroyed(self, party: str, number: int) -> None:
        """Ask until it is done, or leave it held.

        Raises:
            Held: nobody is there, or the sheet is not destroyed yet.
        """
        _check_person(f"destroy the sheet of epoch {number} of {party}")
        said = input(
            f"Destroy the sheet of epoch {number} of {party}, if there is one.\n"
            f"Type {_DESTROYED} when it is done: "
        )
        if said.strip() != _DESTROYED:
            raise Held(
                f"The sheet of epoch {number} of {party} is not destroyed yet.",
                hint="Until it is, nothing is erased and this custodian's store stays closed.",
            )


def _typed(party: str, number: int) -> str:
    """Have the words typed, eleven at a time as they stand on the sheet.

    Raises:
        Held: nobody is there.
        Misread: the last try was wrong too.
    """
    _check_person(f"type the words of epoch {number} of {party}")
    said = f"The sheet of epoch {number} of {party}; what is typed is not shown."
    for left in reversed(range(_TRIES)):
        lines = [
            getpass(f"{said if first == 1 else ''}\nWords {first} to {first + _A_LINE - 1}: ")
            for first in range(1, WORDS + 1, _A_LINE)
        ]
        try:
            secret_of(" ".join(lines))
        except Misread as fault:
            if not left:
                raise
            said = f"{fault.message} Once more."
        else:
            return " ".join(lines)
    raise ValueError("there is at least one try")


def _check_person(deed: str) -> None:
    if not at_terminal():
        raise Held(
            f"A person must {deed}, and nobody is at the terminal.",
            hint="Run `havre custodian epoch` at a terminal first.",
        )
