"""Where each partition's keys stand, folded from the log: shared, opened, ordered erased, erased.

The same fold serves the hub, which must not write to what is being erased, and
custodians, who must not open it. Nobody asks the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from havre.domain.events import (
    Event,
    KeysRequested,
    PartitionsCreated,
    VersionPublished,
)
from havre.domain.key_events import ErasureOrdered, KeysErased


@dataclass(slots=True)
class KeyState:
    """One partition's keys.

    created, created_at: index and time of the entry that made them.
    shared: index of the entry that names the shares which count now.
    holders: custodian to its share's commitment.
    openings: requests for them, answered or not.
    written_at: when a version first named the partition, or null.
    orders: indexes of the orders to erase it.
    erased: index of the entry that says it is erased, or null.
    """

    created: int
    created_at: datetime
    shared: int
    public_sha256: str
    holders: Mapping[str, str]
    openings: int = 0
    written_at: datetime | None = None
    orders: list[int] = field(default_factory=list)
    erased: int | None = None

    @property
    def living(self) -> bool:
        """Whether nobody has ordered it erased: from the order on nothing is opened or written."""
        return not self.orders


def read_key_states(events: Iterable[Event]) -> dict[str, KeyState]:
    """Fold the log into where each partition's keys stand, by opaque id.

    events: from the first entry, in order.
    """
    states: dict[str, KeyState] = {}
    orders: dict[int, ErasureOrdered] = {}
    for index, event in enumerate(events):
        if isinstance(event, PartitionsCreated):
            _create(states, index, event)
        elif isinstance(event, KeysRequested | VersionPublished):
            _use(states, event)
        elif isinstance(event, ErasureOrdered):
            orders[index] = event
            for known in _named(states, event.partitions):
                known.orders.append(index)
        elif isinstance(event, KeysErased):
            for known in _named(states, orders[event.order].partitions):
                known.erased = index
    return states


def _create(states: dict[str, KeyState], index: int, event: PartitionsCreated) -> None:
    for partition, public in event.public_keys.items():
        # The first entry of a partition counts, as for whoever combines its shares.
        states.setdefault(
            partition, KeyState(index, event.at, index, public, event.shares[partition])
        )


def _use(states: Mapping[str, KeyState], event: KeysRequested | VersionPublished) -> None:
    if isinstance(event, KeysRequested):
        for known in _named(states, event.partitions):
            known.openings += 1
    else:
        for known in _named(states, event.manifests):
            known.written_at = known.written_at or event.at


def _named(states: Mapping[str, KeyState], partitions: Iterable[str]) -> Iterable[KeyState]:
    return (states[each] for each in partitions if each in states)
