"""New trust roots after old ones: when other custodians take over, and nothing else changes.

A hub that supplied trust roots would decide what is genuine. So a party takes new
ones only from an order that the controller and an authority of its own roots
signed, only if they follow on its own, and only if they differ in nothing but who
holds shares. Whoever held some stays known, as a former custodian: what it signed
is read for ever.
"""

from __future__ import annotations

import hashlib

from havre.domain.trust import Party, Role, TrustRoots, check_trust_roots, encode_trust_roots
from havre.errors import Refused
from havre.values import Digest

_HOLDERS = (Role.CUSTODIAN, Role.ESCROW, Role.FORMER)


def trust_digest(roots: TrustRoots) -> Digest:
    """Name trust roots by the SHA-256 of their file, as the log does."""
    return Digest(hashlib.sha256(encode_trust_roots(roots)).hexdigest())


def holders_of(roots: TrustRoots) -> tuple[str, ...]:
    """Name everybody who is to hold a share: the daily custodians and the escrow, in order."""
    parties = (*roots.with_role(Role.CUSTODIAN), *roots.with_role(Role.ESCROW))
    return tuple(sorted(party.name for party in parties))


def check_succession(old: TrustRoots, new: TrustRoots) -> None:
    """Make sure that new trust roots change nothing but who holds shares, and how many open.

    Raises:
        Refused: naming what else they change.
        InvalidInput: they break a rule of every trust-root file.
    """
    check_trust_roots(new)
    if (old.origin, old.faulty_witnesses) != (new.origin, new.faulty_witnesses):
        raise Refused("The new trust roots are of another log, or bear more faulty witnesses.")
    if _others(old) != _others(new):
        raise Refused(
            "The new trust roots change others than custodians.",
            hint="A ceremony replaces who holds shares, and nobody else.",
        )
    now = {party.name: party for party in new.parties}
    for party in old.parties:
        if party.role in _HOLDERS:
            _check_kept(party, now.get(party.name))
    known = {party.name for party in old.parties}
    strange = [
        party.name for party in new.parties if party.name not in known and party.role is Role.FORMER
    ]
    if strange:
        raise Refused(f"Who never was a custodian is no former one: {', '.join(strange)}.")


def _others(roots: TrustRoots) -> list[Party]:
    return sorted(
        (party for party in roots.parties if party.role not in _HOLDERS),
        key=lambda party: party.name,
    )


def _check_kept(party: Party, now: Party | None) -> None:
    """Whoever held shares keeps name, key and house, and goes on or becomes a former custodian."""
    if now is None or (now.key, now.operator) != (party.key, party.operator):
        raise Refused(
            f"The new trust roots forget {party.name}, or give its name to somebody else.",
            hint="List it as a former custodian; whoever takes over has a name of its own.",
        )
    if now.role not in (party.role, Role.FORMER):
        raise Refused(f"{party.name} cannot become {now.role.value}.")
