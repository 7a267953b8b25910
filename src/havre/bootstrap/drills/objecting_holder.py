"""The holder of the opposition drill, as a process of its own: it alone has people's numbers in clear.

Started with one JSON argument, for one act: to send a list, or to make somebody's
receipt. It prints one line: what came of it, or the refusal; nothing about anybody.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from havre.adapters.machine.clock import ForwardClock
from havre.bootstrap.opposing import OppositionSide, read_objectors, write_receipt
from havre.errors import HavreError, InvalidInput

SEND, RECEIPT = "send", "receipt"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the holder is asked to do.

    party, hub: directories. days: how far the rehearsal's clock is set forward.
    file: with the list to send, or with the number of the person whose receipt is made.
    out: where the receipt goes, or empty.
    """

    act: str
    party: str
    hub: str
    days: int
    file: str
    every_hours: int = 0
    out: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of it: the version that was sent, or why not.

    version: 0 of a receipt, and of a refusal.
    """

    version: int = 0
    refused: str = ""


def act(asked: Asked) -> Answer:
    """Do what the holder is asked, as its commands would.

    Raises:
        InvalidInput: there is no such act.
    """
    if asked.act not in (SEND, RECEIPT):
        raise InvalidInput("The holder of a drill sends a list, or makes a receipt.")
    clock = ForwardClock()
    clock.forward(asked.days)
    desk = OppositionSide(Path(asked.party), hub=Path(asked.hub)).desk(clock=clock)
    try:
        if asked.act == SEND:
            document = read_objectors(Path(asked.file))
            return Answer(desk.send(document, every_hours=asked.every_hours).version)
        number = Path(asked.file).read_text(encoding="utf-8")
        write_receipt(Path(asked.out), desk.receipt(number))
    except HavreError as refusal:
        return Answer(refused=refusal.message)
    return Answer()


def main() -> None:
    """Do one act, and say what came of it."""
    sys.stdout.write(json.dumps(asdict(act(Asked(**json.loads(sys.argv[1]))))))


if __name__ == "__main__":
    main()
