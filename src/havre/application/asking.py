"""Asking several parties at once, and not waiting for the slowest.

A party may be slow, hang, or answer after everybody else. Each is asked in a thread
of its own; whoever is not there in time is named and left behind. What it says
later changes nothing here: what it does later it does to its own state only.

In process or over a network: a party's own limits are not relied on.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from havre.errors import HavreError, Unavailable

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long parties are waited for, in seconds; kept by whoever asks the same ones again.

    within_s: at all. rest_s: before another one is asked as well, and for the rest once
        those that answered are enough.
    late: who was left behind before; once enough have answered it is not waited for
        again, until it has answered in time.
    """

    within_s: float = 30.0
    rest_s: float = 3.0
    late: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Said(Generic[_Answer]):
    """What came back from one party: an answer, or why there is none."""

    name: str
    answer: _Answer | None = None
    refusal: HavreError | None = None


class Asking(Generic[_Answer]):
    """One question to several parties; gives what each said, as it comes.

    asked: what is called, by the party's name, in the order of asking.
    at_once: how many are asked at first. Another one is asked for each that refuses,
        and for each that has kept everybody waiting.

    Whoever has enough stops reading. Waiting ends earlier after `hurry`.
    """

    def __init__(
        self,
        asked: Mapping[str, Callable[[], _Answer]],
        *,
        patience: Patience,
        at_once: int | None = None,
    ) -> None:
        self._left = dict(asked)
        self._patience = patience
        self._deadline = time.monotonic() + patience.within_s
        self._enough = False
        self._said: queue.SimpleQueue[Said[_Answer] | BaseException] = queue.SimpleQueue()
        # Since when each is waited for; and those for whom another one was asked.
        self._open: dict[str, float] = {}
        self._slow: set[str] = set()
        for _ in range(len(self._left) if at_once is None else at_once):
            self.ask_another()

    def __iter__(self) -> Iterator[Said[_Answer]]:
        """Give what each said; those that are too late come last, as refusals."""
        while self._awaited() and (said := self._next()):
            del self._open[said.name]
            self._patience.late.discard(said.name)
            if said.refusal is not None:
                self.ask_another()
            yield said
        self._patience.late.update(self._open)
        for name, refusal in self.late().items():
            yield Said(name, refusal=refusal)

    def ask_another(self) -> None:
        """Ask one more, if anybody is left: an answer that came does not count."""
        for name in list(self._left)[:1]:
            ask = self._left.pop(name)
            self._open[name] = time.monotonic()
            # A daemon: a party that hangs must not keep the command from ending.
            threading.Thread(target=self._ask, args=(name, ask), daemon=True).start()

    def hurry(self) -> None:
        """Wait for the rest a little longer only: those that answered are enough."""
        self._enough = True
        self._deadline = min(self._deadline, time.monotonic() + self._patience.rest_s)

    def late(self) -> dict[str, HavreError]:
        """Name those that were asked and have not answered, each with its refusal."""
        now = time.monotonic()
        return {
            name: Unavailable(
                f"{name} did not answer within {now - at:.0f} seconds.",
                hint="See whether it runs, and is not held up.",
            )
            for name, at in self._open.items()
        }

    def _ask(self, name: str, ask: Callable[[], _Answer]) -> None:
        try:
            self._said.put(Said(name, answer=ask()))
        except HavreError as refusal:
            self._said.put(Said(name, refusal=refusal))
        except BaseException as fault:  # noqa: BLE001 - raised again by whoever asked
            self._said.put(fault)

    def _next(self) -> Said[_Answer] | None:
        """Wait for the next word; null when the time is over."""
        while (now := time.monotonic()) < self._deadline:
            waits = (
                at + self._patience.rest_s for name, at in self._open.items() if self._is_new(name)
            )
            until = min(self._deadline, *waits, self._deadline)
            try:
                said = self._said.get(timeout=max(0.0, until - now))
            except queue.Empty:
                self._lose_patience()
                continue
            if isinstance(said, BaseException):
                raise said
            return said
        return None

    def _awaited(self) -> bool:
        """Whether somebody is still worth waiting for."""
        return bool(set(self._open) - self._patience.late if self._enough else self._open)

    def _is_new(self, name: str) -> bool:
        return name not in self._slow

    def _lose_patience(self) -> None:
        """Ask another one for each that has kept everybody waiting."""
        now = time.monotonic()
        for name, at in list(self._open.items()):
            if self._is_new(name) and now - at >= self._patience.rest_s:
                self._slow.add(name)
                self.ask_another()
