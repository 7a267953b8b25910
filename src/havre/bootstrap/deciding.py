"""An authority's decision, handed to the custodians before the hub has it.

A hub that drops the decision, or dies over it, cannot go on with the permit:
custodians obey the authority and not the hub. For parties on one machine, whose
directories `havre.toml` names.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from havre.application.permits import PermitStanding
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.tokens import PartyToken
from havre.domain.permit_states import PermitState
from havre.errors import HavreError
from havre.formats.statements import Envelope, encode_envelope, signed_payload
from havre.ports.custody import Custodian
from havre.ports.tokens import Token


@dataclass(frozen=True, slots=True)
class Told:
    """Which custodians obey a decision now, and what each other one said, by name."""

    obey: list[str] = field(default_factory=list)
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
        for custodian in (*self._hub.custodians, self._hub.escrow):
            self._tell(custodian, envelope)
        return signature

    def open_key(self, sealed: bytes, *, info: bytes) -> bytes:
        """Open what was sealed to the authority."""
        return self._token.open_key(sealed, info=info)

    def _tell(self, custodian: Custodian, envelope: bytes) -> None:
        """Tell one custodian; that it cannot be reached must not spare the others."""
        try:
            custodian.revoke(envelope)
            self.told.obey.append(custodian.name)
        except HavreError as refusal:
            self.told.silent[custodian.name] = refusal.message


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
