"""Where the PIN of a party's token comes from: a descriptor, the environment, or a person.

Never from a command's words, which every process of the machine can read, nor from a
file that lies beside what the token is to protect.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import cache
from getpass import getpass

from havre.errors import InvalidInput, Refused

_FROM_DESCRIPTOR, _FROM_ENVIRONMENT = "HAVRE_PIN_FD", "HAVRE_PIN"
_MAX_BYTES = 4096


def pin_of(party: str) -> Callable[[], str]:
    """Give what asks for a party's PIN when it is first needed.

    Looked for in this order: the variable `HAVRE_PIN_<PARTY>` (upper case, hyphens as
    underscores); the first line of the open descriptor that `HAVRE_PIN_FD` names; the
    variable `HAVRE_PIN`; whoever sits at the terminal. A variable is taken out of the
    environment, so that no child process inherits it.
    """
    return lambda: _pin(party)


@cache
def _pin(party: str) -> str:
    own = f"{_FROM_ENVIRONMENT}_{party.upper().replace('-', '_')}"
    if (pin := os.environ.pop(own, None)) is not None:
        return pin
    if (shared := _shared_pin()) is not None:
        return shared
    if sys.stdin is not None and sys.stdin.isatty():
        return getpass(f"PIN of {party}'s token: ")
    raise Refused(
        f"The token of {party} needs its PIN, and nobody is there to be asked.",
        hint=f"Give it in {own}, in {_FROM_ENVIRONMENT}, or through {_FROM_DESCRIPTOR}.",
    )


@cache
def _shared_pin() -> str | None:
    """The PIN for every party of this process, or null."""
    if (descriptor := os.environ.pop(_FROM_DESCRIPTOR, None)) is not None:
        return _read_line(descriptor)
    return os.environ.pop(_FROM_ENVIRONMENT, None)


def _read_line(descriptor: str) -> str:
    try:
        number = int(descriptor)
        with os.fdopen(number, "rb") as opened:
            return opened.readline(_MAX_BYTES).decode().rstrip("\r\n")
    except (ValueError, OSError):
        raise InvalidInput(
            f"{_FROM_DESCRIPTOR} names no descriptor that can be read.",
            hint=f"For example: {_FROM_DESCRIPTOR}=3 havre … 3< <(ask-for-the-pin)",
        ) from None
