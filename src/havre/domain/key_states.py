"""Where each partition's keys stand, folded from the log: shared, opened, shared anew, erased.

The same fold serves the hub, which must not write to what is being erased, and
custodians, who must not open it. Nobody asks the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from havre.domain.events import (
    Event,
    KeysRequested,
    PartitionsCreated,
    VersionPublished,
)
from havre.domain.key_events import (
    ErasureOrdered,
    KeysErased,
    OldSharesErased,
    PartitionsReshared,
    ResharingOrdered,
)
from havre.domain.opposition_events import OppositionsUpdated
from havre.domain.trust import TrustRoots


@dataclass(slots=True)
class Sharing:
    """One set of shares of a partition.

    index: of the entry that names them.
    holders: custodian to its share's commitment.
    threshold: how many open the partition, or null for as many as the trust roots say now.
    order: index of the order that ended it, or null while it counts.
    ended: whether so many of its shares are gone that the rest give nothing back.
    """

    index: int
    holders: Mapping[str, str]
    threshold: int | None = None
    order: int | None = None
    ended: bool = False

    def threshold_under(self, roots: TrustRoots) -> int:
        """Tell how many shares open the partition."""
        return self.threshold or roots.custodian_threshold


@dataclass(slots=True)
class KeyState:
    """One partition's keys.

    created, created_at: index and time of the entry that made them.
    sharing: the shares that count now; `former`, those before.
    openings: requests for them, answered or not.
    written_at: when a version, or a register's, first named the partition, or null.
    orders: indexes of the orders to erase it.
    erased: index of the entry that says it is erased, or null.
    """

    created: int
    created_at: datetime
    public_sha256: str
    sharing: Sharing
    former: list[Sharing] = field(default_factory=list)
    openings: int = 0
    written_at: datetime | None = None
    orders: list[int] = field(default_factory=list)
    erased: int | None = None

    @property
    def living(self) -> bool:
        """Whether nobody has ordered it erased: from the order on nothing is opened or written."""
        return not self.orders

    @property
    def holders(self) -> Mapping[str, str]:
        """Who holds the shares that count: custodian to commitment."""
        return self.sharing.holders

    def open_sharings(self) -> list[Sharing]:
        """List the shares that could still open it: those that count, and older ones that are left."""
        return [self.sharing, *(each for each in self.former if not each.ended)]

    def commitment_of(self, custodian: str) -> str:
        """Name a custodian's share: the one that counts, else an older one; empty for none."""
        held = (each.holders.get(custodian) for each in self.open_sharings())
        return next((each for each in held if each), "")

    def replaced_by(self, order: int) -> Sharing | None:
        """Find the shares that an order has replaced."""
        return next((each for each in self.former if each.order == order), None)


def read_key_states(events: Iterable[Event]) -> dict[str, KeyState]:
    """Fold the log into where each partition's keys stand, by opaque id.

    events: from the first entry, in order.
    """
    fold = _Fold()
    for index, event in enumerate(events):
        take = _TAKE.get(type(event))
        if take is not None:
            take(fold, index, event)
    return fold.states


def list_to_reshare(events: Sequence[Event], *, log_size: int) -> list[str]:
    """List the partitions that an order is about and that still have their old shares, in order.

    log_size: entries of the log when the order was given.

    It is about everything that lived then; what was ordered erased since is left out,
    and so is what has newer shares, by this order or another: an order is no good twice.
    """
    return [
        name
        for name, state in sorted(read_key_states(events).items())
        if state.living and state.sharing.index < log_size
    ]


@dataclass(slots=True)
class _Fold:
    states: dict[str, KeyState] = field(default_factory=dict)
    orders: dict[int, ErasureOrdered] = field(default_factory=dict)
    resharings: dict[int, ResharingOrdered] = field(default_factory=dict)

    def create(self, index: int, event: PartitionsCreated) -> None:
        for partition, public in event.public_keys.items():
            # The first entry of a partition counts, as for whoever combines its shares.
            sharing = Sharing(index, event.shares[partition])
            self.states.setdefault(partition, KeyState(index, event.at, public, sharing))

    def request(self, _index: int, event: KeysRequested) -> None:
        for state in self._named(event.partitions):
            state.openings += 1

    def write(self, _index: int, event: VersionPublished) -> None:
        for state in self._named(event.manifests):
            state.written_at = state.written_at or event.at

    def write_register(self, _index: int, event: OppositionsUpdated) -> None:
        for state in self._named([event.partition]):
            state.written_at = state.written_at or event.at

    def order_erased(self, index: int, event: ErasureOrdered) -> None:
        self.orders[index] = event
        for state in self._named(event.partitions):
            state.orders.append(index)

    def erase(self, index: int, event: KeysErased) -> None:
        if event.order in self.orders:
            for state in self._named(self.orders[event.order].partitions):
                state.erased = index

    def order_reshared(self, index: int, event: ResharingOrdered) -> None:
        self.resharings[index] = event
        for state in self.states.values():
            state.sharing.threshold = state.sharing.threshold or event.threshold_before

    def reshare(self, index: int, event: PartitionsReshared) -> None:
        order = self.resharings.get(event.order)
        for partition, holders in event.shares.items() if order else ():
            if (state := self.states.get(partition)) and order:
                state.sharing.order = event.order
                state.former.append(state.sharing)
                state.sharing = Sharing(index, holders, order.threshold)

    def retire(self, _index: int, event: OldSharesErased) -> None:
        for state in self.states.values():
            if old := state.replaced_by(event.order):
                old.ended = True

    def _named(self, partitions: Iterable[str]) -> Iterator[KeyState]:
        return (self.states[each] for each in partitions if each in self.states)


_TAKE: dict[type[Event], Callable[[_Fold, int, Any], None]] = {
    ErasureOrdered: _Fold.order_erased,
    KeysErased: _Fold.erase,
    KeysRequested: _Fold.request,
    OldSharesErased: _Fold.retire,
    OppositionsUpdated: _Fold.write_register,
    PartitionsCreated: _Fold.create,
    PartitionsReshared: _Fold.reshare,
    ResharingOrdered: _Fold.order_reshared,
    VersionPublished: _Fold.write,
}
