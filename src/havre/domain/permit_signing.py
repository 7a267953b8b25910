"""Which signatures make a permit: two authorities, and nobody who asked for it.

Used by the hub, by every custodian and by whoever verifies: each with its own
trust roots.
"""

from __future__ import annotations

from havre.domain.permit import Permit
from havre.domain.permit_text import PREDICATE_PERMIT, parse_permit
from havre.domain.statements import Opened, open_statement
from havre.domain.trust import Role, TrustRoots
from havre.errors import NotFound, NotGenuine, Refused

# Two people who decide, as for outputs: one can be mistaken, or leaned on.
AUTHORITIES_NEEDED = 2


class SignedByApplicant(Refused):
    """Whoever asks for a permit does not sign it, nor does anybody of the same house."""


def open_permit(
    envelope: bytes, *, roots: TrustRoots, authorities: int = AUTHORITIES_NEEDED
) -> tuple[Permit, Opened]:
    """Make sure that a permit is signed by those who may, and read it.

    authorities: how many must have signed; fewer only while signatures are gathered.

    Raises:
        SignedByApplicant: a signer is the applicant, or of the applicant's operator.
        MissingSignature: too few authorities.
        NotGenuine, InvalidInput: the envelope or the text is amiss.
    """
    opened = open_statement(
        envelope,
        roots=roots,
        predicate_type=PREDICATE_PERMIT,
        origin=roots.origin,
        required={Role.AUTHORITY: authorities},
    )
    permit = parse_permit(opened.statement.predicate)
    if opened.statement.subject != permit.name:
        raise NotGenuine("A permit's statement is about another permit than its text.")
    houses = {
        party.operator
        for party in roots.parties
        if party.name == permit.applicant or party.name in permit.people
    }
    if not houses:
        raise NotFound(f"The applicant of permit {permit.name} is not in the trust roots.")
    if any(signer.operator in houses for signer in opened.signers):
        raise SignedByApplicant(
            f"Permit {permit.name} is signed by the applicant's own house.",
            hint="Ask an authority that has no part in the project.",
        )
    return permit, opened
