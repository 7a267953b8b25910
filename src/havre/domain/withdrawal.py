"""A permit that an authority withdraws directly: custodians obey it, whatever the log says.

A hub could keep a decision off the log. So the authority hands it to every
custodian itself. A revocation is for ever. A suspension stands until it is on
the log and two authorities have granted the permit anew, on that entry or a
later one: a hub that drops the suspension cannot end it.

Source: `docs/protocols.md`, section 4.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from havre.domain.events import Event, PermitMoved
from havre.domain.permit_signing import Ground, open_permit, parse_ground
from havre.domain.permit_states import PermitState
from havre.domain.statements import open_statement
from havre.domain.trust import Role, TrustRoots
from havre.errors import Refused
from havre.values import Digest, parse_name

PREDICATE_DECISION = "havre/v1/permit-decision"
# A hub that is shut on a holiday is no hub that hides something; after a day it is said.
ON_THE_LOG_WITHIN = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A decision that closes a permit.

    state: revoked or suspended.
    sha256: of the signed envelope, by which the log names it.
    """

    permit: str
    state: PermitState
    ground: Ground
    sha256: Digest


def open_withdrawal(envelope: bytes, *, roots: TrustRoots) -> Withdrawal:
    """Make sure that an authority withdraws a permit, and read which.

    Raises:
        Refused: not signed by an authority, or it withdraws nothing.
        NotGenuine, InvalidInput: the envelope or the text is amiss.
    """
    opened = open_statement(
        envelope,
        roots=roots,
        predicate_type=PREDICATE_DECISION,
        origin=roots.origin,
        required={Role.AUTHORITY: 1},
    )
    state = opened.statement.predicate.get("state")
    if state not in (PermitState.SUSPENDED.value, PermitState.REVOKED.value):
        raise Refused("The decision withdraws nothing.")
    return Withdrawal(
        parse_name(opened.statement.subject),
        PermitState(state),
        parse_ground(opened.statement.predicate),
        opened.envelope_sha256,
    )


def stronger_of(known: Withdrawal, other: Withdrawal) -> Withdrawal:
    """Choose which of two withdrawals of a permit stands: a revocation, or else the later one."""
    if known.state is PermitState.REVOKED:
        return known
    if other.state is PermitState.REVOKED:
        return other
    return max(known, other, key=lambda each: each.ground.decided_at)


def list_withdrawn(
    withdrawals: Iterable[Withdrawal],
    *,
    events: Sequence[Event],
    documents: Mapping[str, bytes],
    roots: TrustRoots,
) -> frozenset[str]:
    """Name the permits that a direct withdrawal keeps closed now.

    withdrawals: one for each permit.
    events: the log from its first entry, as the reader followed it.
    documents: signed permits that were brought along, by SHA-256; believed only
        when the log names them and two authorities signed them.

    Raises:
        Refused, NotGenuine, NotFound, InvalidInput: a permit that was brought
            along to end a suspension does not hold.
    """
    return frozenset(
        withdrawal.permit
        for withdrawal in withdrawals
        if withdrawal.state is PermitState.REVOKED
        or not _is_lifted(withdrawal, events=events, documents=documents, roots=roots)
    )


def list_unlogged(
    withdrawals: Iterable[Withdrawal], *, events: Sequence[Event], now: datetime
) -> list[Withdrawal]:
    """List the decisions that should be on the log by now, and are not; each once, in order of permit.

    withdrawals: what parties were told directly.
    events: the log, from its first entry.
    """
    logged = {event.statement_sha256 for event in events if isinstance(event, PermitMoved)}
    missing = {
        each.sha256: each
        for each in withdrawals
        if each.sha256 not in logged and now - each.ground.decided_at > ON_THE_LOG_WITHIN
    }
    return sorted(missing.values(), key=lambda each: (each.permit, each.sha256))


def _is_lifted(
    suspension: Withdrawal,
    *,
    events: Sequence[Event],
    documents: Mapping[str, bytes],
    roots: TrustRoots,
) -> bool:
    """Tell whether two authorities, who had the suspension before them, granted the permit anew."""
    moves = [
        (index, event)
        for index, event in enumerate(events)
        if isinstance(event, PermitMoved) and event.permit == suspension.permit
    ]
    logged = [index for index, moved in moves if moved.statement_sha256 == suspension.sha256]
    if not logged:
        return False
    last = moves[-1][1]
    envelope = documents.get(last.statement_sha256, b"")
    if (
        last.state != PermitState.GRANTED.value
        or hashlib.sha256(envelope).hexdigest() != last.statement_sha256
    ):
        return False
    signed = open_permit(envelope, roots=roots)
    return (
        signed.permit.name == suspension.permit
        and signed.ground.rests_on >= logged[0]
        and signed.ground.decided_at >= suspension.ground.decided_at
    )
