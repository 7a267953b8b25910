"""What every event is, whatever its kind; the kinds are `domain.events`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What every entry says.

    event_id: 32 hexadecimal characters, random; appending it twice is one act.
    at: the hub's clock, UTC; a claim, which witnesses only bound.
    """

    kind: ClassVar[str] = ""
    event_id: str
    at: datetime
