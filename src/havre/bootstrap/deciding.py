"""An authority's decision, handed to custodians and witnesses before the hub has it.

A hub that drops the decision, or dies over it, cannot go on with the permit:
custodians obey the authority and not the hub. Witnesses keep it, so that a hub
which keeps it off the log is found out even if its custodians help it. Each is
reached as `havre.toml` says, in its directory or as a process of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from havre.application.asking import Asking, Patience
from havre.application.permits import PermitStanding
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.tokens import PartyToken
from havre.domain.permit_states import PermitState
from havre.errors import HavreError
from havre.formats.statements import Envelope, encode_envelope, signed_payload
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
        self._tell(envelope)
        return signature

    def open_key(self, sealed: bytes, *, info: bytes) -> bytes:
        """Open what was sealed to the authority."""
        return self._token.open_key(sealed, info=info)

    def _tell(self, envelope: bytes) -> None:
        """Tell all of them at once; that one cannot be reached must not spare the others."""
        custodians = {each.name: each for each in (*self._hub.custodians, self._hub.escrow)}
        asking = Asking(
            {
                **{name: partial(each.revoke, envelope) for name, each in custodians.items()},
                **{
                    each.name: partial(each.keep_decision, envelope) for each in self._hub.witnesses
                },
            },
            patience=Patience(),
        )
        for said in asking:
            if said.refusal is not None:
                self.told.silent[said.name] = said.refusal.message
            elif said.name in custodians:
                self.told.obey.append(said.name)
            else:
                self.told.keep.append(said.name)
        self.told.obey.sort()
        self.told.keep.sort()


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
