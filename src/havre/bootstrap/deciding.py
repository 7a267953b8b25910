"""An authority's decision, handed to custodians and witnesses before the hub has it.

A hub that drops the decision, or dies over it, cannot go on with the permit:
custodians obey the authority and not the hub. Witnesses keep it, so that a hub
which keeps it off the log is found out even if its custodians help it. Each is
reached as `havre.toml` says, in its directory or as a process of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from havre.adapters.channel.certificates import write_private
from havre.adapters.machine.clock import SystemClock
from havre.application.asking import Asking, Patience
from havre.application.audit import PublicLog
from havre.application.permits import PermitStanding
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.parties import ReachedCustodian, ReachedWitness
from havre.bootstrap.party_places import PartyPlace, read_party
from havre.bootstrap.reaching import Reach, open_log
from havre.bootstrap.tokens import PartyToken
from havre.domain.events import PermitMoved
from havre.domain.permit_signing import Ground, rests_on
from havre.domain.permit_states import PermitState, check_move, replay_permit
from havre.domain.statements import Statement, sign_statement
from havre.domain.trust import Role
from havre.domain.withdrawal import PREDICATE_DECISION
from havre.errors import HavreError, NotFound, Refused
from havre.formats.statements import Envelope, encode_envelope, signed_payload
from havre.ports.log import LogReader
from havre.ports.tokens import Token


@dataclass(frozen=True, slots=True)
class Told:
    """Which custodians obey a decision now, which witnesses keep it, and what the others said."""

    obey: list[str] = field(default_factory=list)
    keep: list[str] = field(default_factory=list)
    silent: dict[str, str] = field(default_factory=dict)


class DirectHands:
    """An authority's token: what it signs goes to every custodian first, then to the hub."""

    def __init__(self, token: Token, hub: OpenHub) -> None:
        self._token = token
        self._hub = hub
        self.told = Told()

    @property
    def name(self) -> str:
        """The authority's short name."""
        return self._token.name

    @property
    def public(self) -> bytes:
        """The authority's Ed25519 public key."""
        return self._token.public

    @property
    def seal_public(self) -> bytes:
        """The authority's HPKE public key."""
        return self._token.seal_public

    def sign(self, message: bytes) -> bytes:
        """Sign a decision, and hand it over before the hub gets the signature."""
        signature = self._token.sign(message)
        envelope = encode_envelope(
            Envelope(signed_payload(message), ((self._token.public, signature),))
        )
        custodians = (*self._hub.custodians, self._hub.escrow)
        self.told = _tell(envelope, custodians=custodians, witnesses=self._hub.witnesses)
        return signature

    def open_key(self, sealed: bytes, *, info: bytes) -> bytes:
        """Open what was sealed to the authority."""
        return self._token.open_key(sealed, info=info)


def decide_permit(
    hub: OpenHub, name: str, state: PermitState, *, authority: PartyToken, reason: str
) -> tuple[PermitStanding, Told]:
    """Refuse, suspend or revoke a permit, and close it with every custodian first.

    Returns where the permit stands, and who was told. A refusal opens nothing
    anyway, so nobody is told of it.

    Raises:
        HavreError: from `Permits.decide`; the hint says when custodians obey already.
    """
    if state not in (PermitState.SUSPENDED, PermitState.REVOKED):
        return hub.permits.decide(name, state, authority=authority, reason=reason), Told()
    hands = DirectHands(authority, hub)
    try:
        return hub.permits.decide(name, state, authority=hands, reason=reason), hands.told
    except HavreError as refusal:
        if hands.told.obey:
            closed = f"The custodians obey the decision already: {', '.join(hands.told.obey)}."
            refusal.hint = f"{refusal.hint} {closed}".strip()
        raise


def withdraw_past_the_hub(
    name: str,
    state: PermitState,
    *,
    authority: PartyToken,
    reason: str,
    log: str,
    to: Sequence[str],
    out: Path,
) -> Told:
    """Suspend or revoke a permit past the hub: read the log, sign, tell custodians and witnesses.

    log: a folder, or an address that begins with https; verified by its own trust roots.
    to: whom to tell, by their directories or addresses.
    out: where the signed decision is written first, which the hub is to put on the log.

    Raises:
        NotFound: the log has no such permit, or the roots name no such party.
        Refused: the permit cannot go there from where it stands.
        NotGenuine: the log does not hold.
    """
    roots, reader = authority.trust_roots(), open_log(log)
    envelope = _sign_withdrawal(name, state, authority=authority, reason=reason, log=reader)
    reach, roles = Reach(authority.folder, log=reader), {p.name: p.role for p in roots.parties}
    places: dict[Role | None, list[PartyPlace]] = {}
    for place in [read_party(Path(), each) for each in to]:
        places.setdefault(roles.get(place.name), []).append(place)
    keepers = [*places.pop(Role.CUSTODIAN, ()), *places.pop(Role.ESCROW, ())]
    witnesses = places.pop(Role.WITNESS, [])
    if places:
        strangers = sorted(place.name for others in places.values() for place in others)
        raise NotFound(
            f"The trust roots of {authority.name} name no custodian and no witness"
            f" {', '.join(strangers)}."
        )
    write_private(out, envelope)
    return _tell(
        envelope,
        custodians=list(map(reach.custodian, keepers)),
        witnesses=list(map(reach.witness, witnesses)),
    )


def _sign_withdrawal(
    name: str, state: PermitState, *, authority: PartyToken, reason: str, log: LogReader
) -> bytes:
    """Sign a decision about a permit as it stands on the log."""
    if state not in (PermitState.SUSPENDED, PermitState.REVOKED):
        raise Refused("A decision that custodians obey is to suspend or to revoke.")
    roots = authority.trust_roots()
    entries = [
        (logged.index, logged.event)
        for logged in PublicLog(log, roots=roots).entries()
        if isinstance(logged.event, PermitMoved) and logged.event.permit == name
    ]
    if not entries:
        raise NotFound(f"The log has no permit {name}.", hint="Compare the name with the register.")
    standing, _, _ = replay_permit(entries)
    check_move(standing, state)
    ground = Ground(rests_on(entries), SystemClock().now())
    text = {"reason": reason, "state": state.value, **ground.fields}
    return sign_statement(Statement(PREDICATE_DECISION, roots.origin, name, text), [authority])


def _tell(
    envelope: bytes, *, custodians: Sequence[ReachedCustodian], witnesses: Sequence[ReachedWitness]
) -> Told:
    """Tell all of them at once; that one cannot be reached must not spare the others."""
    obeying = {each.name: each for each in custodians}
    asking = Asking(
        {
            **{name: partial(each.revoke, envelope) for name, each in obeying.items()},
            **{each.name: partial(each.keep_decision, envelope) for each in witnesses},
        },
        patience=Patience(),
    )
    told = Told()
    for said in asking:
        if said.refusal is not None:
            told.silent[said.name] = said.refusal.message
        else:
            (told.obey if said.name in obeying else told.keep).append(said.name)
    told.obey.sort()
    told.keep.sort()
    return told
