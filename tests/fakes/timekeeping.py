"""A hub whose days nobody waits for: its clock, and that of its parties in the same process."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from fakes.small_hub import SmallHub
from havre.adapters.machine.clock import ForwardClock
from havre.application.clock import ClockRun
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.timekeeping import clockwork
from havre.domain.duties import Duty


@dataclass
class TimedHub:
    """A small hub, on a day that only goes on."""

    small: SmallHub
    clock: ForwardClock = field(default_factory=ForwardClock)

    def open(self) -> OpenHub:
        """The hub, as a new process would open it on that day."""
        hub = OpenHub(self.small.hub, clock=self.clock)
        hub.wake()
        return hub

    def on(self, day: str) -> TimedHub:
        """Wait until noon of a day is past."""
        until = datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=UTC)
        self.clock.forward((until - self.clock.now()).days + 1)
        return self

    def after(self, days: int) -> TimedHub:
        self.clock.forward(days)
        return self

    def run(self) -> ClockRun:
        return clockwork(self.open()).run()

    def owed(self) -> list[Duty]:
        return clockwork(self.open()).list_running()
