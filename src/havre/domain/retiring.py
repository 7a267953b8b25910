"""When a custodian destroys the shares that a ceremony has replaced.

Only when everything that the order is about was opened for it and has new shares on
the log for everybody who is to hold some, and all of them have signed that they do. A
hub that lost the new shares, or never opened the old ones, cannot have those destroyed:
it would have to name *k* custodians who opened theirs, each of them knows better and
destroys nothing, and *k* are enough. Whether new shares are of the true seed only their
key room knows.

Source: `docs/protocols.md`, section 2.
"""

from __future__ import annotations

from collections.abc import Sequence

from havre.domain.acceptance import check_acceptance
from havre.domain.events import Event, KeysReleased, KeysRequested, events_of
from havre.domain.key_events import PartitionsReshared
from havre.domain.key_states import list_to_reshare, read_key_states
from havre.domain.resharing import CeremonyRefused, CeremonyRequest, SignedCeremony
from havre.domain.succession import trust_digest
from havre.domain.trust import parse_trust_roots
from havre.errors import NotGenuine


def new_shares(events: Sequence[Event], index: int, *, custodian: str) -> dict[str, str]:
    """List what a ceremony gave a custodian, as the log says: partition to commitment, in order.

    index: of the order's entry. Partitions that were ordered erased since are left out.
    """
    states = read_key_states(events)
    given: dict[str, str] = {}
    for event in events:
        if isinstance(event, PartitionsReshared) and event.order == index:
            for partition, shares in event.shares.items():
                if custodian in shares and states[partition].living:
                    given[partition] = shares[custodian]
    return dict(sorted(given.items()))


def old_shares(events: Sequence[Event], index: int, *, custodian: str) -> dict[str, str]:
    """List what a ceremony took from a custodian: partition to the old commitment, in order.

    Partitions that were ordered erased since are left out.
    """
    states = read_key_states(events)
    taken = taken_shares(events, index, custodian=custodian)
    return {partition: each for partition, each in taken.items() if states[partition].living}


def taken_shares(events: Sequence[Event], index: int, *, custodian: str) -> dict[str, str]:
    """List the same with those that were ordered erased since, as a certificate from before has it."""
    taken: dict[str, str] = {}
    for partition, state in sorted(read_key_states(events).items()):
        before = state.replaced_by(index)
        if before is not None and custodian in before.holders:
            taken[partition] = before.holders[custodian]
    return taken


def logged_shares(events: Sequence[Event], *, custodian: str) -> dict[str, set[str]]:
    """List the commitments of every share that the log gave a custodian, by partition."""
    return {
        partition: {each.holders.get(custodian, "") for each in (*state.former, state.sharing)}
        for partition, state in read_key_states(events).items()
    }


def ended_shares(events: Sequence[Event], index: int, *, custodian: str) -> dict[str, set[str]]:
    """List what a custodian needs no more once a ceremony's new shares are accepted, by partition.

    Not only the shares that it took, but those of every ceremony before: one whose
    new holder was lost, and which another one followed, never came to its end.
    """
    ended: dict[str, set[str]] = {}
    for partition, state in read_key_states(events).items():
        last = state.replaced_by(index)
        if last is not None and state.living:
            before = state.former[: state.former.index(last) + 1]
            ended[partition] = {each.holders.get(custodian, "") for each in before}
    return ended


def check_retirement(
    request: CeremonyRequest, signed: SignedCeremony, *, events: Sequence[Event]
) -> None:
    """Make sure that the old shares of a ceremony are needed no more.

    signed: the order, checked.

    Raises:
        CeremonyRefused: something has no new shares yet, or an acceptance is missing.
        NotGenuine: an acceptance does not hold, or other trust roots were brought along;
            or the log gave new shares to others than the order says, or without the old.
    """
    order = signed.order
    if left := len(list_to_reshare(events, log_size=order.log_size)):
        raise CeremonyRefused(f"{left} partitions have no new shares yet.")
    _check_made(events, request.index, holders=order.holders)
    check_accepted(request, signed, events=events, names=order.holders)


def check_accepted(
    request: CeremonyRequest,
    signed: SignedCeremony,
    *,
    events: Sequence[Event],
    names: Sequence[str],
) -> None:
    """Make sure that some of those who are to hold new shares have signed that they do.

    Raises:
        CeremonyRefused: one of them has not.
        NotGenuine: an acceptance does not hold, or other trust roots were brought along.
    """
    roots = parse_trust_roots(request.trust)
    if trust_digest(roots) != signed.order.trust_sha256:
        raise NotGenuine("The trust roots are not those that the ceremony's order names.")
    missing = [name for name in names if name not in request.acceptances]
    if missing:
        raise CeremonyRefused(
            f"Not everybody has accepted the new shares: {', '.join(missing)} has not."
        )
    for name in names:
        check_acceptance(
            request.acceptances[name],
            roots=roots,
            custodian=name,
            order=request.index,
            order_sha256=signed.sha256,
            shares=new_shares(events, request.index, custodian=name),
        )


def _check_made(events: Sequence[Event], index: int, *, holders: Sequence[str]) -> None:
    """Make sure that the log gave new shares to all who are to hold some, out of enough old ones."""
    opened = _openings(events, index)
    states = read_key_states(events)
    for event in events:
        if not isinstance(event, PartitionsReshared) or event.order != index:
            continue
        for partition, shares in event.shares.items():
            state = states.get(partition)
            before = state.replaced_by(index) if state else None
            if before is None:
                continue
            if sorted(shares) != list(holders):
                raise NotGenuine("The log gives new shares to others than the ceremony's order.")
            needed = max(2, before.threshold or 0)
            if len(opened.get(partition, set()) & set(before.holders)) < needed:
                raise NotGenuine("The log gives new shares of what no ceremony has opened.")


def _openings(events: Sequence[Event], index: int) -> dict[str, set[str]]:
    """Tell who gave his shares for a ceremony, as the log says, by partition."""
    opened: dict[str, set[str]] = {}
    for request, receipts in ceremony_receipts(events, index).items():
        asked = events[request]
        for partition in asked.partitions if isinstance(asked, KeysRequested) else ():
            opened.setdefault(partition, set()).update(receipts)
    return opened


def ceremony_receipts(events: Sequence[Event], index: int) -> dict[int, dict[str, str]]:
    """List what the log says of the answers to a ceremony's requests: request to receipts, by name.

    index: of the order's entry.
    """
    found: dict[int, dict[str, str]] = {}
    for event in events_of(events, KeysReleased):
        asked = events[event.request] if 0 <= event.request < len(events) else None
        if isinstance(asked, KeysRequested) and asked.order == index:
            found.setdefault(event.request, {}).update(event.receipts)
    return found
