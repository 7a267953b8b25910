"""Where the PIN of a party's token comes from: a descriptor, the environment, or a person.

Never from a command's words, which every process of the machine can read, nor from a
file that lies beside what the token is to protect. The words of an epoch's sheet come
in the same ways.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import cache
from getpass import getpass

from havre.errors import InvalidInput, Refused

PIN, EPOCH = "HAVRE_PIN", "HAVRE_EPOCH"
_MAX_BYTES = 4096


def pin_of(party: str) -> Callable[[], str]:
    """Give what asks for a party's PIN when it is first needed; see `find_told`.

    Whoever sits at the terminal is asked last.
    """
    return lambda: _pin(party)


@cache
def _pin(party: str) -> str:
    if (pin := find_told(PIN, party)) is not None:
        return pin
    if at_terminal():
        return getpass(f"PIN of {party}'s token: ")
    raise Refused(
        f"The token of {party} needs its PIN, and nobody is there to be asked.",
        hint=f"Give it in {_own(PIN, party)}, in {PIN}, or through {PIN}_FD.",
    )


def find_told(variable: str, party: str) -> str | None:
    """Find what this process was told for a party, or null.

    Looked for in this order: the variable's name with the party's behind it (upper
    case, hyphens as underscores); the first line of the open descriptor whose number
    is in the variable's name with `_FD`; the variable itself. A variable is taken out
    of the environment, so that no child process inherits it.

    Raises:
        InvalidInput: the descriptor cannot be read.
    """
    own = _taken(_own(variable, party))
    return _shared(variable) if own is None else own


def at_terminal() -> bool:
    """Tell whether a person can be asked."""
    return sys.stdin is not None and sys.stdin.isatty()


def _own(variable: str, party: str) -> str:
    return f"{variable}_{party.upper().replace('-', '_')}"


@cache
def _taken(variable: str) -> str | None:
    return os.environ.pop(variable, None)


@cache
def _shared(variable: str) -> str | None:
    """What the process was told for every party."""
    descriptor = os.environ.pop(f"{variable}_FD", None)
    return _taken(variable) if descriptor is None else _read_line(variable, descriptor)


def _read_line(variable: str, descriptor: str) -> str:
    try:
        with os.fdopen(int(descriptor), "rb") as opened:
            return opened.readline(_MAX_BYTES).decode().rstrip("\r\n")
    except (ValueError, OSError):
        raise InvalidInput(
            f"{variable}_FD names no descriptor that can be read.",
            hint=f"For example: {variable}_FD=3 havre … 3< <(ask-for-it)",
        ) from None


def forget_told() -> None:
    """Forget what the process was told: for tests, each of which is told something else."""
    for cached in (_pin, _taken, _shared):
        cached.cache_clear()
